import CFuse
import CLinux
import Glibc
import Protocol
import System

/// What changes the content of open own files, and what makes it durable.
extension OwnFiles {
  /// Bytes that one COPY_FILE_RANGE copies at most: no thread of the pool is kept long.
  private static let longestCopy = 64 << 20

  /// READ of an own file.
  func read(_ request: Request, _ own: OwnHandle, size: Int, offset: Int64) {
    disk.answer(request, key: own.key) { () throws(SystemError) in
      // SAFETY: the buffer is freed behind the reply, which has copied it.
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4_096)
      defer { buffer.deallocate() }
      var count = 0
      while count < size {
        let start = count
        let got = try retryingOnInterrupt("read") {
          pread(own.file.raw, buffer.baseAddress! + start, size - start, off_t(offset) + start)
        }
        if got == 0 { break }
        count += got
      }
      request.reply(bytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// `bytes`: there until this returns; copied only where another thread writes them.
  func write(
    _ request: Request, handle: HandleNumber, _ bytes: UnsafeRawBufferPointer, offset: Int64
  ) {
    guard let own = writable(handle) else { return request.reply(error: EBADF) }
    @Sendable func answer(_ bytes: UnsafeRawBufferPointer) {
      do throws(SystemError) {
        request.reply(written: try write(bytes, to: own, at: offset, for: request))
      } catch {
        request.reply(error: error.code)
      }
    }
    if disk.onThisThread({ answer(bytes) }) { return }
    let copy = [UInt8](bytes)
    disk.answer(request, key: own.key) { copy.withUnsafeBytes(answer) }
  }

  /// Returns: how many of the bytes were written.
  private func write(
    _ bytes: UnsafeRawBufferPointer, to own: OwnHandle, at offset: Int64, for request: Request
  ) throws(SystemError) -> Int {
    try Self.checkSize(offset, adding: bytes.count)
    return try changeContent(for: request, own.number, own.file, from: UInt64(offset)) {
      () throws(SystemError) in
      let written = try writeAll(bytes, to: own, at: offset)
      try show(snapshot(own.number, own.file))
      return written
    }
  }

  /// Returns: how many of the bytes were written.
  private func writeAll(
    _ bytes: UnsafeRawBufferPointer, to own: OwnHandle, at offset: Int64
  ) throws(SystemError) -> Int {
    var written = 0
    while written < bytes.count {
      let start = written
      let count = pwrite(own.file, bytes[start...], at: offset + Int64(start))
      if count < 0 {
        // What was written before the disk was full counts, as of write(2).
        if written > 0 { break }
        throw SystemError("write")
      }
      written += count
    }
    return written
  }

  func fallocate(
    _ request: Request, handle: HandleNumber, mode: Int32, offset: Int64, length: Int64
  ) {
    guard let own = writable(handle) else { return request.reply(error: EBADF) }
    disk.answer(request, key: own.key) { [self] () throws(SystemError) in
      try Self.checkSize(offset, adding: Int(clamping: length))
      // Room that is only made changes nothing that is there.
      let isOnlyRoom = mode & ~FALLOC_FL_KEEP_SIZE == 0
      let size = namespace.read { $0[own.number]?.attributes.size ?? 0 }
      let start = isOnlyRoom ? size : UInt64(offset)
      try changeContent(for: request, own.number, own.file, from: start) { () throws(SystemError) in
        try retryingOnInterrupt("fallocate") {
          Glibc.fallocate(own.file.raw, mode, off_t(offset), off_t(length))
        }
        try show(snapshot(own.number, own.file))
      }
      request.reply()
    }
  }

  /// COPY_FILE_RANGE between own files: the own folder's file system may share the blocks. Of
  /// others' files the kernel reads and writes what is to be copied itself.
  func copyRange(
    _ request: Request, from source: (handle: HandleNumber, offset: Int64),
    to target: (handle: HandleNumber, offset: Int64), length: Int
  ) {
    guard case .own(let from)? = handles[source.handle] else {
      return request.reply(error: EXDEV)
    }
    guard let to = writable(target.handle) else { return request.reply(error: EBADF) }
    disk.answer(request, key: to.key) { [self] () throws(SystemError) in
      try Self.checkSize(target.offset, adding: min(length, Self.longestCopy))
      let start = UInt64(target.offset)
      let copied = try changeContent(for: request, to.number, to.file, from: start) {
        () throws(SystemError) in
        let copied = try retryingOnInterrupt("copy_file_range") {
          clinux_copy_file_range(
            from.file.raw, source.offset, to.file.raw, target.offset,
            min(length, Self.longestCopy))
        }
        try show(snapshot(to.number, to.file))
        return copied
      }
      request.reply(written: copied)
    }
  }

  /// FSYNC: from now on the file lies in the own folder, it and its place are on the disk, and only
  /// its content can still change.
  func synchronise(_ request: Request, handle: HandleNumber, dataOnly: Bool) {
    guard case .own(let own)? = handles[handle] else { return request.reply() }
    disk.answer(request, key: own.key) { [self] () throws(SystemError) in
      // Not under the lock: all other changes of names would wait for the disk.
      try retryingOnInterrupt("fsync") { dataOnly ? fdatasync(own.file.raw) : fsync(own.file.raw) }
      let state = namespace.read { tree -> (isStaged: Bool, isDirty: Bool) in
        guard let node = tree[own.number], node.isLinked, let state = node.own else {
          return (false, false)
        }
        return (state.staged != nil, state.isDirty)
      }
      guard state.isStaged || state.isDirty else { return request.reply() }
      let path = try nameLock.withLock { held throws(SystemError) -> SharePath? in
        let place = ownPlace(own.number)
        try placeStaged(held, own.number)
        if namespace.read({ $0[own.number]?.own?.isDirty ?? false }) {
          try announceOwing(held, own.number, file: own.file)
        }
        return place?.staged == nil ? nil : place?.path
      }
      group.drain()
      if let path { try folder.synchronisePlace(of: path) }
      request.reply()
    }
  }

  /// FSYNCDIR: what was made, renamed and removed in an own directory is on the disk.
  func synchroniseDirectory(_ request: Request, _ number: InodeNumber) {
    disk.answer(request) { [self] () throws(SystemError) in
      let isRoot = number == Node.rootNumber
      let path = try nameLock.withLock { held throws(SystemError) in ownPlace(number)?.path }
      if isRoot || path != nil { try folder.synchronise(path) }
      request.reply()
    }
  }

  /// LSEEK to data or a hole.
  func seek(
    _ request: Request, _ number: InodeNumber, handle: HandleNumber, offset: Int64, whence: Int32
  ) {
    switch handles[handle] {
    case .own(let own):
      disk.answer(request, key: own.key) { () throws(SystemError) in
        let position = try retryingOnInterrupt("lseek") {
          lseek(own.file.raw, off_t(offset), whence)
        }
        request.reply(position: Int64(position))
      }
    case .remote:
      // No hole that anybody knows of. ENOSYS would end such questions for own files too.
      let size = namespace.read { Int64($0[number]?.attributes.size ?? 0) }
      guard offset < size else { return request.reply(error: ENXIO) }
      request.reply(position: whence == clinux_seek_hole ? size : offset)
    default: request.reply(error: EBADF)
    }
  }

  /// Throws: EFBIG where a file would become longer than one that can be shared.
  static func checkSize(_ offset: Int64, adding count: Int) throws(SystemError) {
    let (end, overflows) = offset.addingReportingOverflow(Int64(count))
    if overflows || end > Int64(Limits.fileSize) {
      throw SystemError(code: EFBIG, call: "a file larger than can be shared")
    }
  }

  private func writable(_ handle: HandleNumber) -> OwnHandle? {
    guard case .own(let own)? = handles[handle], own.isWritable else { return nil }
    return own
  }
}

/// One pwrite(2), again where a signal came between.
private func pwrite(
  _ file: OwnedDescriptor, _ bytes: Slice<UnsafeRawBufferPointer>, at offset: Int64
) -> Int {
  let bytes = UnsafeRawBufferPointer(rebasing: bytes)
  while true {
    let count = Glibc.pwrite(file.raw, bytes.baseAddress, bytes.count, off_t(offset))
    if count >= 0 || errno != EINTR { return count }
  }
}

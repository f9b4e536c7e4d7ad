import CFuse
import CLinux
import Glibc
import Protocol
import System

/// What changes the content of open own files, and what makes it durable.
extension Volume {
  /// Bytes that one COPY_FILE_RANGE copies at most: no thread of the pool is kept long.
  private static let longestCopy = 64 << 20

  /// `bytes`: there until this returns; copied only where another thread writes them.
  func write(_ request: Request, handle: UInt64, _ bytes: UnsafeRawBufferPointer, offset: Int64) {
    guard let own = writable(handle) else { return request.reply(error: EBADF) }
    @Sendable func answer(_ bytes: UnsafeRawBufferPointer) {
      do throws(SystemError) {
        request.reply(written: try write(bytes, to: own, at: offset, for: request))
      } catch {
        request.reply(error: error.code)
      }
    }
    if onThisThread({ answer(bytes) }) { return }
    let copy = [UInt8](bytes)
    onDisk(request, key: own.key) { copy.withUnsafeBytes(answer) }
  }

  /// Returns: how many of the bytes were written.
  private func write(
    _ bytes: UnsafeRawBufferPointer, to own: OwnHandle, at offset: Int64, for request: Request
  ) throws(SystemError) -> Int {
    try Self.checkSize(offset, adding: bytes.count)
    return try changeContent(for: request, own.number, own.file, from: UInt64(offset)) {
      () throws(SystemError) in
      let written = try writeAll(bytes, to: own, at: offset)
      try show(look(own.number, own.file))
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
    _ request: Request, handle: UInt64, mode: Int32, offset: Int64, length: Int64
  ) {
    guard let own = writable(handle) else { return request.reply(error: EBADF) }
    onDisk(request, key: own.key) { [self] () throws(SystemError) in
      try Self.checkSize(offset, adding: Int(clamping: length))
      // Room that is only made changes nothing that is there.
      let isOnlyRoom = mode & ~FALLOC_FL_KEEP_SIZE == 0
      let size = tree.withLock { $0[own.number]?.attributes.size ?? 0 }
      let start = isOnlyRoom ? size : UInt64(offset)
      try changeContent(for: request, own.number, own.file, from: start) { () throws(SystemError) in
        try retryingOnInterrupt("fallocate") {
          Glibc.fallocate(own.file.raw, mode, off_t(offset), off_t(length))
        }
        try show(look(own.number, own.file))
      }
      request.reply()
    }
  }

  /// COPY_FILE_RANGE between own files: the own folder's file system may share the blocks. Of
  /// others' files the kernel reads and writes what is to be copied itself.
  func copyRange(
    _ request: Request, from source: (handle: UInt64, offset: Int64),
    to target: (handle: UInt64, offset: Int64), length: Int
  ) {
    guard case .own(let from)? = handles.withLock({ $0[source.handle] }) else {
      return request.reply(error: EXDEV)
    }
    guard let to = writable(target.handle) else { return request.reply(error: EBADF) }
    onDisk(request, key: to.key) { [self] () throws(SystemError) in
      try Self.checkSize(target.offset, adding: min(length, Self.longestCopy))
      let start = UInt64(target.offset)
      let copied = try changeContent(for: request, to.number, to.file, from: start) {
        () throws(SystemError) in
        let copied = try retryingOnInterrupt("copy_file_range") {
          clinux_copy_file_range(
            from.file.raw, source.offset, to.file.raw, target.offset,
            min(length, Self.longestCopy))
        }
        try show(look(to.number, to.file))
        return copied
      }
      request.reply(written: copied)
    }
  }

  /// FSYNC: from now on the file lies in the own folder, it and its place are on the disk, and only
  /// its content can still change.
  func synchronise(_ request: Request, handle: UInt64, dataOnly: Bool) {
    guard case .own(let own)? = handles.withLock({ $0[handle] }) else { return request.reply() }
    onDisk(request, key: own.key) { [self] () throws(SystemError) in
      // Not under the lock: all other changes of names would wait for the disk.
      try retryingOnInterrupt("fsync") { dataOnly ? fdatasync(own.file.raw) : fsync(own.file.raw) }
      let state = tree.withLock { tree -> (isStaged: Bool, isDirty: Bool) in
        guard let node = tree[own.number], node.isLinked, let state = node.own else {
          return (false, false)
        }
        return (state.staged != nil, state.isDirty)
      }
      guard state.isStaged || state.isDirty else { return request.reply() }
      let path = try whileNamesStay { () throws(SystemError) -> SharePath? in
        let place = ownPlace(own.number)
        try placeStaged(own.number)
        if tree.withLock({ $0[own.number]?.own?.isDirty ?? false }) {
          try announceOwing(own.number, file: own.file)
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
    onDisk(request) { [self] () throws(SystemError) in
      let isRoot = number == Node.rootNumber
      let path = try whileNamesStay { () throws(SystemError) in ownPlace(number)?.path }
      if isRoot || path != nil { try folder.synchronise(path) }
      request.reply()
    }
  }

  /// LSEEK to data or a hole.
  func seek(
    _ request: Request, _ number: InodeNumber, handle: UInt64, offset: Int64, whence: Int32
  ) {
    switch handles.withLock({ $0[handle] }) {
    case .own(let own):
      onDisk(request, key: own.key) { () throws(SystemError) in
        let position = try retryingOnInterrupt("lseek") {
          lseek(own.file.raw, off_t(offset), whence)
        }
        request.reply(position: Int64(position))
      }
    case .remote:
      // No hole that anybody knows of. ENOSYS would end such questions for own files too.
      let size = tree.withLock { Int64($0[number]?.attributes.size ?? 0) }
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

  private func writable(_ handle: UInt64) -> OwnHandle? {
    guard case .own(let own)? = handles.withLock({ $0[handle] }), own.isWritable else { return nil }
    return own
  }

  /// Runs something short on the disk pool while no name changes; throws what it throws.
  func whileNamesStay<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let outcome = namespace.withLock { _ -> Swift.Result<Result, SystemError> in
      do throws(SystemError) { return .success(try body()) } catch { return .failure(error) }
    }
    return try outcome.get()
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

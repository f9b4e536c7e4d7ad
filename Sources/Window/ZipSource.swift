import CArchive
import Glibc
import System
import Transport

/// A folder with all below it as a zip archive, made by libarchive as it is sent. Nothing is
/// compressed: what is worth it mostly is already, and the network is faster. Links and what is
/// neither file nor folder are left out.
// SAFETY: called by one thread at a time.
final class ZipSource: WebSource, @unchecked Sendable {
  private struct OpenFile {
    let file: OwnedDescriptor
    var offset: Int64
    let size: Int64
  }

  /// A folder that is gone through, its path in the archive, and what of it is to come.
  private struct OpenFolder {
    let folder: OwnedDescriptor
    let path: [UInt8]
    var names: [[UInt8]]
  }

  private let archive: OpaquePointer
  private let meter: GuestMeter?
  private var folders: [OpenFolder] = []
  private var current: OpenFile?
  private var made = Output()
  private var hasEnded = false

  /// What libarchive has made and was not sent yet.
  private final class Output {
    var bytes: [UInt8] = []
  }

  private static let piece = 1 << 20

  /// `name`: the folder's in the archive. Throws where the folder cannot be listed.
  init(_ folder: OwnedDescriptor, named name: [UInt8], meter: GuestMeter?) throws(SystemError) {
    self.meter = meter
    guard let archive = archive_write_new() else {
      throw SystemError(code: ENOMEM, call: "make an archive")
    }
    self.archive = archive
    archive_write_set_format_zip(archive)
    archive_write_set_format_option(archive, "zip", "compression", "store")
    archive_write_set_bytes_per_block(archive, 0)
    // SAFETY: unretained; the archive is freed before this object is.
    let output = Unmanaged.passUnretained(made).toOpaque()
    archive_write_open(
      archive, output, nil,
      { _, output, bytes, count in
        guard let output, let bytes else { return -1 }
        // SAFETY: as above; libarchive passes `count` readable bytes.
        Unmanaged<Output>.fromOpaque(output).takeUnretainedValue().bytes += UnsafeRawBufferPointer(
          start: bytes, count: count)
        return count
      }, nil)
    do throws(SystemError) { try enter(folder, name) } catch {
      archive_write_free(archive)
      throw error
    }
  }

  func next() throws -> WebPiece {
    if let wait = try meter?.wait() { return .wait(wait) }
    while made.bytes.isEmpty, !hasEnded { try advance() }
    defer { made.bytes = [] }
    meter?.count(made.bytes.count)
    return made.bytes.isEmpty ? .end : .bytes(made.bytes)
  }

  func close() { archive_write_free(archive) }

  private func advance() throws(SystemError) {
    if current != nil { return try addPiece() }
    while let folder = folders.last {
      guard let name = folder.names.last else {
        folders.removeLast()
        continue
      }
      folders[folders.count - 1].names.removeLast()
      return try add(name, in: folder)
    }
    hasEnded = true
    guard archive_write_close(archive) == ARCHIVE_OK else { throw failure("end") }
  }

  private func add(_ name: [UInt8], in above: OpenFolder) throws(SystemError) {
    let found: Stat
    do throws(SystemError) { found = try Stat(at: above.folder.raw, name: name) } catch {
      // Gone meanwhile.
      if error.code == ENOENT { return }
      throw error
    }
    guard found.isDirectory || found.isRegular else { return }
    let text = name.map { CChar(bitPattern: $0) } + [0]
    let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (found.isDirectory ? O_DIRECTORY : O_NONBLOCK)
    let opened = OwnedDescriptor(
      try retryingOnInterrupt("open") { openat(above.folder.raw, text, flags) })
    let path = above.path + [UInt8(ascii: "/")] + name
    if found.isDirectory { return try enter(opened, path) }
    let now = try Stat(descriptor: opened.raw)
    try addHead(path, now)
    if now.size > 0 { current = OpenFile(file: opened, offset: 0, size: now.size) }
  }

  private func enter(_ folder: OwnedDescriptor, _ path: [UInt8]) throws(SystemError) {
    try addHead(path + [UInt8(ascii: "/")], try Stat(descriptor: folder.raw))
    let names = try FolderItems.of(folder).map(\.name)
    folders.append(
      OpenFolder(
        folder: folder, path: path, names: names.sorted { $1.lexicographicallyPrecedes($0) }))
  }

  private func addHead(_ path: [UInt8], _ found: Stat) throws(SystemError) {
    guard let entry = archive_entry_new() else {
      throw SystemError(code: ENOMEM, call: "make an archive")
    }
    defer { archive_entry_free(entry) }
    archive_entry_copy_pathname(entry, path.map { CChar(bitPattern: $0) } + [0])
    archive_entry_set_filetype(entry, found.format)
    archive_entry_set_perm(entry, found.permissions & 0o777)
    archive_entry_set_mtime(entry, found.mtime.tv_sec, found.mtime.tv_nsec)
    archive_entry_set_size(entry, found.isRegular ? found.size : 0)
    // A name that is not UTF-8 is told, and written as it is.
    guard archive_write_header(archive, entry) >= ARCHIVE_WARN else { throw failure("add to") }
  }

  private func addPiece() throws(SystemError) {
    guard var file = current else { return }
    let wanted = Int(min(Int64(Self.piece), file.size - file.offset))
    let bytes = try FileSource.read(file.file, at: file.offset, wanted)
    guard !bytes.isEmpty else {
      throw SystemError(code: EIO, call: "read all of a file that has become shorter")
    }
    guard archive_write_data(archive, bytes, bytes.count) == bytes.count else {
      throw failure("write")
    }
    file.offset += Int64(bytes.count)
    current = file.offset < file.size ? file : nil
  }

  private func failure(_ what: String) -> SystemError {
    SystemError(code: EIO, call: "\(what) the archive")
  }
}

import Core
import Glibc
import Protocol
import Sealing
import System

/// Why a kept list is of no use.
struct KeptListFault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Reads a file `list`, once from its beginning to its end.
struct KeptListLoading {
  private let file: OwnedDescriptor
  private let path: String
  private let seal: ListSeal
  private var place: UInt64 = 0
  /// Bytes read.
  private var position = KeptListFile.headLength
  /// Behind the latest cursor: bytes, and the place of what follows.
  private var end: (bytes: Int, place: UInt64)?
  private var bytesAtFirst: Int?

  /// Opens the file. Throws where it is no kept list of this device.
  init(_ file: OwnedDescriptor, path: String, secret: [UInt8]) throws(KeptListFault) {
    guard let stat = try? Stat(descriptor: file.raw), stat.isRegular else {
      throw KeptListFault("it is not a file")
    }
    guard let head = try Self.read(file, KeptListFile.headLength) else {
      throw KeptListFault("it is cut off")
    }
    var reader = ByteReader(head)
    guard (try? reader.fixed(KeptListFile.magic.count)) == KeptListFile.magic,
      let format = try? reader.uint32(), let id = try? reader.randomID()
    else { throw KeptListFault("it is not a list") }
    guard format == KeptListFile.format else { throw KeptListFault("it is of format \(format)") }
    guard let seal = ListSeal(secret: secret, file: id) else {
      preconditionFailure("a secret of the state folder has its length")
    }
    self.file = file
    self.path = path
    self.seal = seal
  }

  /// Loads the list at `path`, if it is of the group of `master`; nil where there is none. What is
  /// behind the last cursor is cut off. Throws where it is of no use.
  static func load(
    _ path: String, secret: [UInt8], master: Fingerprint?
  ) throws(KeptListFault) -> LoadedList? {
    let raw = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if raw < 0, errno == ENOENT { return nil }
    if raw < 0 { throw KeptListFault(SystemError.reason(errno)) }
    var loading = try KeptListLoading(OwnedDescriptor(raw), path: path, secret: secret)
    var kept = KeptReplica(
      of: try loading.owner(of: master), hash: ListHash.sha256)
    try loading.takeGroups(into: &kept)
    return LoadedList(kept: kept, file: try loading.finish())
  }

  private mutating func owner(of master: Fingerprint?) throws(KeptListFault) -> PublicID {
    guard let record = try next(), record.kind == KeptListFile.Kind.owner else {
      throw KeptListFault("it does not open")
    }
    var reader = ByteReader(record.body)
    guard let bytes = try? reader.bytes16(atMost: Fingerprint.length),
      let number = try? reader.publicID()
    else { throw KeptListFault("it is garbled") }
    guard let master, master.bytes == bytes else { throw KeptListFault("it is of another group") }
    return number
  }

  /// A page and all before it counts once a cursor follows. The first group, which is all of the
  /// list, is taken as it comes: without its cursor the file is of no use.
  private mutating func takeGroups(into kept: inout KeptReplica) throws(KeptListFault) {
    var snapshot: ListBuilder? = ListBuilder()
    var items: [PageItem] = []
    while let record = try next() {
      switch record.kind {
      case KeptListFile.Kind.snapshot where snapshot != nil:
        for case .entry(let listed) in try page(record.body) { snapshot!.append(listed) }
      case KeptListFile.Kind.page: items += try page(record.body)
      case KeptListFile.Kind.reached:
        if let whole = snapshot.take() {
          guard let list = whole.finish() else { throw KeptListFault("it is garbled") }
          kept.take(list)
        }
        for item in items { kept.take(item) }
        items.removeAll()
        guard case .askFiles(let reached)? = try? Message(decoding: record.body),
          (try? kept.reach(reached)) != nil
        else { throw KeptListFault("it is garbled") }
        end = (position, place)
        bytesAtFirst = bytesAtFirst ?? position
      default: throw KeptListFault("it is garbled")
      }
    }
  }

  private func page(_ body: [UInt8]) throws(KeptListFault) -> [PageItem] {
    guard let page = try? PageBody(decoding: body) else { throw KeptListFault("it is garbled") }
    return page.items
  }

  /// Cuts off what no cursor follows.
  private func finish() throws(KeptListFault) -> KeptListFile {
    guard let end, let bytesAtFirst else { throw KeptListFault("it is not whole") }
    do throws(SystemError) {
      try retryingOnInterrupt("truncate") { ftruncate(file.raw, off_t(end.bytes)) }
      try retryingOnInterrupt("seek") { lseek(file.raw, off_t(end.bytes), SEEK_SET) }
    } catch { throw KeptListFault(SystemError.reason(error.code)) }
    return KeptListFile(
      file: file, path: path, seal: seal, place: end.place, bytes: end.bytes,
      bytesAtFirst: bytesAtFirst)
  }

  /// The next record; nil at the end, and where what follows is cut off or damaged.
  private mutating func next() throws(KeptListFault) -> (kind: UInt8, body: [UInt8])? {
    guard let head = try Self.read(file, 4) else { return nil }
    var reader = ByteReader(head)
    guard let length = (try? reader.uint32()).map({ Int($0) }),
      (ListSeal.overhead + 1...KeptListFile.recordLimit).contains(length),
      let sealed = try Self.read(file, length),
      let plain = seal.open(sealed, at: place)
    else { return nil }
    place += 1
    position += 4 + length
    return (plain[0], Array(plain.dropFirst()))
  }

  /// So many bytes; nil where there are fewer.
  private static func read(
    _ file: OwnedDescriptor, _ count: Int
  ) throws(KeptListFault) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var got = 0
    while got < count {
      let start = got
      do throws(SystemError) {
        // SAFETY: the pointer stays inside the closure and within the array.
        got += try retryingOnInterrupt("read") {
          bytes.withUnsafeMutableBytes {
            Glibc.read(file.raw, $0.baseAddress! + start, count - start)
          }
        }
      } catch { throw KeptListFault(SystemError.reason(error.code)) }
      if got == start { return nil }
    }
    return bytes
  }
}

/// What was loaded, and the file to go on with.
struct LoadedList {
  let kept: KeptReplica
  let file: KeptListFile
}

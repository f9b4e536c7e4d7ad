import CLinux
import Glibc
import Protocol
import System

/// Extended attributes: those that programs set for themselves (`user.`) are kept in the own file,
/// and stay on this machine; `user.fsharefs.` is the mount's own (`EntryProperty`). What is asked of
/// others' entries is answered from memory. Other kinds are refused, not said to be absent: `ls -l`
/// then asks once for the whole file system instead of for each file.
extension OwnFiles {
  private static let kept = Array("user.".utf8)
  private static let reserved = EntryProperty.prefix

  /// GETXATTR. `size`: bytes that the program takes, 0: only the length is asked for.
  func extendedAttribute(
    _ request: Request, _ number: InodeNumber, name: [UInt8], size: Int
  ) {
    guard name.starts(with: Self.kept) else {
      return request.reply(error: ENOTSUP)
    }
    guard isOwnForGood(number) else { return request.reply(error: ENODATA) }
    disk.answer(request, key: number) { [self] () throws(SystemError) in
      let file = try reached(number)
      var value = [UInt8](repeating: 0, count: size)
      let count = try retryingOnInterrupt("getxattr") {
        getxattr(file.procPath, name.cPath, &value, size)
      }
      if size == 0 { return request.reply(extendedLength: count) }
      request.reply(extended: Array(value[..<count]), size: size)
    }
  }

  /// LISTXATTR: zero-terminated names.
  func extendedAttributes(_ request: Request, _ number: InodeNumber, size: Int) {
    guard isOwnForGood(number) else { return request.reply(extended: [], size: size) }
    disk.answer(request, key: number) { [self] () throws(SystemError) in
      let file = try reached(number)
      let count = try retryingOnInterrupt("listxattr") { listxattr(file.procPath, nil, 0) }
      var all = [CChar](repeating: 0, count: count)
      let got = try retryingOnInterrupt("listxattr") { listxattr(file.procPath, &all, count) }
      let names = all[..<got].map { UInt8(bitPattern: $0) }.split(separator: 0)
      let shown = names.filter {
        $0.starts(with: Self.kept) && !$0.starts(with: Self.reserved)
      }
      request.reply(extended: shown.flatMap { $0 + [0] }, size: size)
    }
  }

  /// SETXATTR. `flags` as of setxattr(2).
  func setExtendedAttribute(
    _ request: Request, _ number: InodeNumber, name: [UInt8], value: [UInt8], flags: Int32
  ) {
    changing(request, number, name) { path in
      setxattr(path, name.cPath, value, value.count, flags)
    }
  }

  func removeExtendedAttribute(_ request: Request, _ number: InodeNumber, name: [UInt8]) {
    changing(request, number, name) { path in removexattr(path, name.cPath) }
  }

  /// It alters the file's ctime, and is no new version.
  private func changing(
    _ request: Request, _ number: InodeNumber, _ name: [UInt8],
    _ call: @escaping @Sendable (String) -> Int32
  ) {
    guard isOwnForGood(number), !name.starts(with: Self.reserved) else {
      return request.reply(error: EPERM)
    }
    guard name.starts(with: Self.kept) else { return request.reply(error: ENOTSUP) }
    changeNames(request) { [self] held throws(SystemError) in
      guard let own = ownPlace(number) else { throw SystemError(code: EPERM, call: "setxattr") }
      try checkMayChange(own)
      let file = try reach(own)
      let wasKnown = beginOperation(number, try? Stat(descriptor: file.raw))
      defer { endOperation(number, try? Stat(descriptor: file.raw), wasKnown: wasKnown) }
      try retryingOnInterrupt("change an extended attribute") { call(file.procPath) }
      request.reply()
    }
  }

  /// Whether it is one's own, and not a directory in which one's own only lies.
  private func isOwnForGood(_ number: InodeNumber) -> Bool {
    namespace.read { tree in tree[number]?.own.map { $0.impliedMode == nil } ?? false }
  }

  /// The lock is not held while the disk works, nor to find what lies on another one.
  private func reached(_ number: InodeNumber) throws(SystemError) -> OwnedDescriptor {
    if let own = placedElsewhere(number) { return try reach(own) }
    return try nameLock.withLock { _ throws(SystemError) in
      guard let own = ownPlace(number) else { throw SystemError(code: ESTALE, call: "getxattr") }
      return try reach(own)
    }
  }
}

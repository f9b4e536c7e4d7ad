import CLinux
import Glibc
import Protocol
import System

/// Making things in the own folder: with the owner, group, mode and ACL that they get where a
/// program makes them there directly. This process has no umask of its own (it is 0), so the mode
/// is what is asked for.
extension OwnFolder {
  private static let defaultList = "system.posix_acl_default"

  /// A new, empty staged file for a path, open for reading and writing.
  func stage(
    _ path: SharePath, mode: UInt32, by caller: Caller
  ) throws(SystemError) -> (name: [UInt8], file: OwnedDescriptor) {
    let directory = try nearestParent(of: path)
    let hasList = hasDefaultList(directory)
    let wanted = hasList ? mode : mode & ~caller.mask
    let name = Array(String(SecureRandom.uint64(), radix: 16).utf8)
    if !hasList, givesNothing(directory) {
      return (name, try stageNamed(name, for: directory, mode: wanted, by: caller))
    }
    do throws(SystemError) {
      return (name, try stageInherited(name, from: directory, mode: wanted, by: caller))
    } catch  where [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(error.code) {
      return (name, try stageNamed(name, for: directory, mode: wanted, by: caller))
    }
  }

  /// Stages a file that is born without a name in the directory that it is for: what it has from
  /// there it keeps wherever it is linked.
  private func stageInherited(
    _ name: [UInt8], from directory: OwnedDescriptor, mode: UInt32, by caller: Caller
  ) throws(SystemError) -> OwnedDescriptor {
    let made = try caller.making { () throws(SystemError) in
      try retryingOnInterrupt("make a file") {
        openat(directory.raw, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode_t(mode))
      }
    }
    let file = OwnedDescriptor(made)
    giveGroup(of: caller, in: directory) { fchown(file.raw, .max, $0) }
    let (from, staging) = (file.procPath, staging.raw)
    try retryingOnInterrupt("stage a file") {
      linkat(AT_FDCWD, from, staging, name.cPath, AT_SYMLINK_FOLLOW)
    }
    return file
  }

  /// Stages a file where its directory gives it nothing, or the file system makes none without a
  /// name: then a default ACL is not looked at.
  private func stageNamed(
    _ name: [UInt8], for directory: OwnedDescriptor, mode: UInt32, by caller: Caller
  ) throws(SystemError) -> OwnedDescriptor {
    let staging = staging.raw
    let made = try caller.making { () throws(SystemError) in
      try retryingOnInterrupt("stage a file") {
        openat(staging, name.cPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
      }
    }
    let file = OwnedDescriptor(made)
    giveGroup(of: caller, in: directory) { fchown(file.raw, .max, $0) }
    if let stat = try? Stat(descriptor: directory.raw), stat.permissions & S_ISGID != 0 {
      // EPERM: of a group that this process is not in, the file stays its own.
      _ = fchown(file.raw, .max, stat.gid)
    }
    return file
  }

  /// Makes a directory. Throws: EEXIST where something lies there, whatever it is.
  func makeDirectory(
    _ held: borrowing NamesHeld, _ path: SharePath, mode: UInt32, by caller: Caller
  ) throws(SystemError) {
    try checkMayChange(path)
    let (parent, name) = try parent(of: path)
    let wanted = hasDefaultList(parent) ? mode : mode & ~caller.mask
    try caller.making { () throws(SystemError) in
      try retryingOnInterrupt("mkdir") { mkdirat(parent.raw, name, mode_t(wanted)) }
    }
    giveGroup(of: caller, in: parent) {
      fchownat(parent.raw, name, .max, $0, AT_SYMLINK_NOFOLLOW)
    }
  }

  /// Makes a symlink. Throws: EEXIST where something is there.
  func makeSymlink(
    _ held: borrowing NamesHeld, _ path: SharePath, target: [UInt8], by caller: Caller
  ) throws(SystemError) {
    try checkMayChange(path)
    let (parent, name) = try parent(of: path)
    let target = target.cPath
    try caller.making { () throws(SystemError) in
      try retryingOnInterrupt("symlink") { symlinkat(target, parent.raw, name) }
    }
    giveGroup(of: caller, in: parent) {
      fchownat(parent.raw, name, .max, $0, AT_SYMLINK_NOFOLLOW)
    }
  }

  /// Where this process is not root, what it made has its own first group: the caller, the same
  /// user, may act by another of his (newgrp(1)). A setgid directory gives its own.
  private func giveGroup(
    of caller: Caller, in directory: OwnedDescriptor, _ give: (gid_t) -> Int32
  ) {
    guard Caller.process.user != 0, caller.group != Caller.process.group,
      let stat = try? Stat(descriptor: directory.raw), stat.permissions & S_ISGID == 0
    else { return }
    // EPERM: that this process is not in that group either is no reason not to make it.
    _ = give(caller.group)
  }

  /// Whether a directory's default ACL stands for the umask of whoever makes something in it.
  private func hasDefaultList(_ directory: OwnedDescriptor) -> Bool {
    // A descriptor that is only a place (O_PATH) has no attributes of its own.
    let count = fgetxattr(directory.raw, Self.defaultList, nil, 0)
    if count >= 0 || errno != EBADF { return count > 0 }
    return getxattr(directory.procPath, Self.defaultList, nil, 0) > 0
  }

  /// Whether what is made in a directory without a default ACL is as if made in the staging folder:
  /// not, where it gives its group. Staging by name then saves 4 to 10 µs for each file (ext4,
  /// tmpfs).
  private func givesNothing(_ directory: OwnedDescriptor) -> Bool {
    guard let stat = try? Stat(descriptor: directory.raw),
      let beside = try? Stat(descriptor: staging.raw)
    else { return false }
    // Of another group: a file system may be mounted so that every directory gives its group. The
    // staging folder has what the own folder gave it.
    return (stat.permissions | beside.permissions) & S_ISGID == 0 && stat.gid == beside.gid
      && !hasDefaultList(staging)
  }

  /// The directory that a path lies in; where that is not there, the nearest above it, from which
  /// it will inherit.
  private func nearestParent(of path: SharePath) throws(SystemError) -> OwnedDescriptor {
    try checkMayChange(path)
    var next = path.parent
    while let directory = next {
      do throws(SystemError) {
        return try open(directory, flags: O_PATH | O_DIRECTORY)
      } catch  where error.code == ENOENT {
        next = directory.parent
      }
    }
    return root
  }
}

// MARK: - Directories in which something only lies

extension OwnFolder {
  /// Marks, in the directory itself, that this member has it only because something of his lies in
  /// it. Its value, in octal: the permission bits that it had for others, and those that it was made
  /// with here. It outlives restarts and moves along.
  static let impliedMark = "user.fsharefs.implied"

  /// Makes a directory because something is put into it. `mode`: as it shows. Others' word on who
  /// may write to it is no local user's right: on the disk only this process' user may. Returns:
  /// whether it was not there; what lies there then may be no directory.
  func makeImplied(_ held: borrowing NamesHeld, _ path: SharePath, mode: UInt32) throws(SystemError)
    -> Bool
  {
    try checkMayChange(path)
    let (parent, name) = try parent(of: path)
    guard mkdirat(parent.raw, name, mode_t(mode & 0o755 | 0o700)) == 0 else {
      let failure = SystemError("mkdir")
      if failure.code == EEXIST { return false }
      throw failure
    }
    // The umask and the default ACL of where it lies had their part in it.
    let made = try? stat(path).permissions
    let bits = ([mode & 0o1777] + (made.map { [$0] } ?? [])).map { String($0, radix: 8) }
    let text = Array(bits.joined(separator: " ").utf8)
    // Where the file system keeps no such attributes it is known until the end of this process.
    _ = lsetxattr(Self.procPath(parent, name), Self.impliedMark, text, text.count, 0)
    return true
  }

  /// The permission bits that a directory of which something only lies in it had for others; nil
  /// for any other, and where somebody gave it other bits here: that made it his own.
  func impliedMode(_ path: SharePath) -> UInt32? {
    guard let (parent, name) = try? parent(of: path) else { return nil }
    var text = [UInt8](repeating: 0, count: 16)
    let count = lgetxattr(Self.procPath(parent, name), Self.impliedMark, &text, text.count)
    guard count > 0 else { return nil }
    let bits = text[..<count].split(separator: UInt8(ascii: " "))
      .map { UInt32(String(decoding: $0, as: UTF8.self), radix: 8) }
    guard let mode = bits.first ?? nil else { return nil }
    if bits.count > 1, (try? stat(path).permissions) != bits[1] { return nil }
    return mode & 0o1777
  }

  /// A path by which calls reach a name in an open directory that take none.
  private static func procPath(_ directory: OwnedDescriptor, _ name: [CChar]) -> [CChar] {
    Array(directory.procPath.utf8).cPath.dropLast() + [CChar(UInt8(ascii: "/"))] + name
  }
}

import Glibc

/// sshfs with its fastest cipher, from an sshd of its own: port, host key and key are made for the
/// run.
final class SSH: Contender {
  let name = "sshfs aes128-gcm"
  private let source: String
  private let target: String

  init(_ scratch: Scratch) throws {
    source = try scratch.newFolder("served")
    target = try scratch.newFolder("sshfs")
    let keys = try scratch.newFolder("keys")
    let log = scratch.path("ssh-log")
    for key in ["host", "user"] {
      try Child.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(keys)/\(key)"], log: log)
    }
    let port = try Loopback.freePort()
    try SSH.writeConfiguration(keys, port)
    if getuid() == 0, mkdir("/run/sshd", 0o755) == 0 { scratch.atEnd { rmdir("/run/sshd") } }
    let server = try Child(["/usr/sbin/sshd", "-f", "\(keys)/sshd_config", "-D", "-e"], log: log)
    scratch.atEnd { server.end() }
    try eventually("sshd listens") {
      if server.ended != nil { throw Failure("sshd ended: \(text(of: log))") }
      guard let socket = try? Loopback.connected(to: port) else { return false }
      close(socket)
      return true
    }
    try mount(keys, port, scratch, log)
  }

  func measure(size: Int, seed: UInt64) throws -> Double {
    let file = "bench-\(seed)"
    try Content.write("\(source)/\(file)", size: size, seed: seed)
    defer { unlink("\(source)/\(file)") }
    return try Content.timeToRead("\(target)/\(file)", size: size, seed: seed)
  }

  private func mount(_ keys: String, _ port: UInt16, _ scratch: Scratch, _ log: String) throws {
    guard let user = getpwuid(getuid()).map({ String(cString: $0.pointee.pw_name) }) else {
      throw Failure("this user has no name")
    }
    let options = [
      "port=\(port)", "IdentityFile=\(keys)/user", "IdentitiesOnly=yes",
      "UserKnownHostsFile=\(keys)/known_hosts", "StrictHostKeyChecking=yes", "BatchMode=yes",
      "Ciphers=aes128-gcm@openssh.com",
    ]
    let words =
      ["sshfs", "-f", "-F", "/dev/null"] + options.flatMap { ["-o", $0] }
      + ["\(user)@127.0.0.1:\(source)", target]
    let daemon = try Child(words, log: log)
    let target = target
    scratch.atEnd {
      try? Child.run(["fusermount3", "-u", "-z", target], log: "/dev/null")
      daemon.end()
    }
    var before = stat()
    stat(source, &before)
    try eventually("sshfs is mounted") {
      if daemon.ended != nil { throw Failure("sshfs ended: \(text(of: log))") }
      return text(of: "/proc/self/mounts").contains(" \(target) fuse.sshfs ")
    }
  }

  private static func writeConfiguration(_ keys: String, _ port: UInt16) throws {
    let hostKey = text(of: "\(keys)/host.pub").split(separator: " ").prefix(2)
    try "[127.0.0.1]:\(port) \(hostKey.joined(separator: " "))\n".write(to: "\(keys)/known_hosts")
    try """
    ListenAddress 127.0.0.1:\(port)
    HostKey \(keys)/host
    AuthorizedKeysFile \(keys)/user.pub
    PidFile none
    StrictModes no
    UsePAM no
    PasswordAuthentication no
    PermitRootLogin prohibit-password
    Subsystem sftp internal-sftp

    """.write(to: "\(keys)/sshd_config")
  }
}

extension String {
  /// Writes this text as a file.
  func write(to path: String) throws {
    let file = try checked("create \(path)") {
      open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    defer { close(file) }
    let bytes = Array(utf8)
    try Content.send(bytes, count: bytes.count, to: file, path)
  }
}

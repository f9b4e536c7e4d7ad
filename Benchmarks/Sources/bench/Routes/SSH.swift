import Glibc

/// sshfs with its fastest cipher, from an sshd of its own: port, host key and key are made for the
/// run.
final class SSH: Route {
  let name = "sshfs aes128-gcm"
  let source: String
  let target: String
  private let words: [String]
  private let log: String
  private let server: Child
  private var daemon: Child?
  /// The `ssh` of the mount: sshfs cuts it loose, so it is nobody's child.
  private var client: pid_t?
  private let key: String

  var processes: [(role: String, pid: Int32)] {
    [("sshd", server.pid)] + (daemon.map { [("sshfs", $0.pid)] } ?? [])
      + (client.map { [("ssh", $0)] } ?? [])
  }

  init(_ stage: Stage) throws {
    let scratch = stage.scratch
    source = try scratch.newFolder("served")
    target = try scratch.newFolder("sshfs")
    let keys = try scratch.newFolder("keys")
    key = "\(keys)/user"
    log = scratch.path("ssh-log")
    for key in ["host", "user"] {
      try Child.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(keys)/\(key)"], log: log)
    }
    let port = try Loopback.freePort()
    try SSH.writeConfiguration(keys, port)
    if getuid() == 0, mkdir("/run/sshd", 0o755) == 0 { scratch.atEnd { rmdir("/run/sshd") } }
    let server = try Child(["/usr/sbin/sshd", "-f", "\(keys)/sshd_config", "-D", "-e"], log: log)
    self.server = server
    scratch.atEnd { server.end() }
    guard let user = getpwuid(getuid()).map({ String(cString: $0.pointee.pw_name) }) else {
      throw Failure("this user has no name")
    }
    words =
      ["sshfs", "-f", "-F", "/dev/null"]
      + SSH.options(keys, port).flatMap { ["-o", $0] } + ["\(user)@127.0.0.1:\(source)", target]
    try eventually("sshd listens") {
      if server.ended != nil { throw Failure("sshd ended: \(Files.text(of: log))") }
      guard let socket = try? Loopback.connected(to: port) else { return false }
      close(socket)
      return true
    }
    scratch.atEnd { self.unmount() }
    try mount()
  }

  /// What it serves is there at once.
  func settle() {}

  /// What it shows afterwards, the kernel has never seen.
  func remount() throws {
    unmount()
    try mount()
  }

  private func unmount() {
    try? Child.run(["fusermount3", "-u", "-z", target], log: "/dev/null")
    daemon?.end()
    daemon = nil
  }

  private func mount() throws {
    let daemon = try Child(words, log: log)
    self.daemon = daemon
    try eventually("sshfs is mounted") {
      if daemon.ended != nil { throw Failure("sshfs ended: \(Files.text(of: log))") }
      return Files.text(of: "/proc/self/mounts").contains(" \(target) fuse.sshfs ")
    }
    // The mount is there before the connection is: this waits for an answer of the server.
    guard Files.size(of: target) != nil else { throw Failure.call("look at \(target)") }
    try eventually("the ssh of sshfs is found") {
      client = Files.names(in: "/proc").compactMap { pid_t($0) }.first { pid in
        let words = Files.text(of: "/proc/\(pid)/cmdline").split(separator: "\0")
        return words.first == "ssh" && words.contains { $0.contains(key) }
      }
      return client != nil
    }
  }

  private static func options(_ keys: String, _ port: UInt16) -> [String] {
    [
      "port=\(port)", "IdentityFile=\(keys)/user", "IdentitiesOnly=yes",
      "UserKnownHostsFile=\(keys)/known_hosts", "StrictHostKeyChecking=yes", "BatchMode=yes",
      "Ciphers=aes128-gcm@openssh.com",
    ]
  }

  private static func writeConfiguration(_ keys: String, _ port: UInt16) throws {
    let hostKey = Files.text(of: "\(keys)/host.pub").split(separator: " ").prefix(2)
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

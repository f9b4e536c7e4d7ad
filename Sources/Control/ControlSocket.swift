// Whichever of the two is read first owns <sys/un.h>.
import CLinux
import Glibc
import System

/// The Unix socket in a state folder.
///
/// It is reached through `/proc/self/fd/N`, N being the opened folder: `sun_path` holds 107 bytes,
/// and a folder's own path may be longer.
struct ControlSocket {
  /// The socket's name in the state folder.
  static let name = "control.sock"

  /// The state folder's path, for messages only.
  let stateFolder: String
  private let folder: OwnedDescriptor

  /// Opens a state folder. Throws ENOENT, ENOTDIR or EACCES as `SystemError`.
  init(stateFolder: String) throws(SystemError) {
    self.stateFolder = stateFolder
    folder = OwnedDescriptor(
      try retryingOnInterrupt("open folder \(stateFolder)") {
        open(stateFolder.cPath, O_PATH | O_DIRECTORY | O_CLOEXEC)
      })
  }

  /// A listening socket of mode 0600, in the place of one that a dead process left behind.
  func listen() throws -> OwnedDescriptor {
    try removeStale()
    let socket = try make(nonBlocking: true)
    // Linux takes the mode of the bound file from the socket, so at no time is it wider.
    try retryingOnInterrupt("fchmod \(path)") { fchmod(socket.raw, 0o600) }
    try retryingOnInterrupt("bind \(path)") { withAddress { bind(socket.raw, $0, $1) } }
    try retryingOnInterrupt("listen on \(path)") { Glibc.listen(socket.raw, 64) }
    return socket
  }

  /// A blocking connection to the process that listens, each step of which takes at most `timeout`
  /// (then EAGAIN). Throws `ControlError.notRunning`.
  func connect(timeout: Duration) throws -> OwnedDescriptor {
    let socket = try make(nonBlocking: false)
    try limit(socket.raw, timeout)
    do throws(SystemError) {
      try retryingOnInterrupt("connect to \(path)") {
        withAddress { Glibc.connect(socket.raw, $0, $1) }
      }
    } catch {
      guard [ENOENT, ECONNREFUSED].contains(error.code) else { throw error }
      throw ControlError.notRunning(stateFolder: stateFolder)
    }
    return socket
  }

  /// Takes the socket's name away; one that is gone already is fine.
  func remove() throws(SystemError) {
    do throws(SystemError) {
      try retryingOnInterrupt("unlink \(path)") { unlinkat(folder.raw, Self.name, 0) }
    } catch {
      guard error.code == ENOENT else { throw error }
    }
  }

  /// The user at the other end of a connection.
  static func peer(of connection: Int32) throws(SystemError) -> uid_t {
    var credentials = ucred()
    var length = socklen_t(MemoryLayout<ucred>.size)
    try retryingOnInterrupt("getsockopt SO_PEERCRED") {
      getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
    }
    return credentials.uid
  }

  private var path: String { "\(stateFolder)/\(Self.name)" }

  private func removeStale() throws {
    var record = stat()
    guard fstatat(folder.raw, Self.name, &record, AT_SYMLINK_NOFOLLOW) == 0 else {
      let failure = SystemError("stat \(path)")
      if failure.code == ENOENT { return }
      throw failure
    }
    guard record.st_mode & mode_t(0o170000) == mode_t(0o140000) else {
      throw ControlError.notASocket(path: path)
    }
    do {
      _ = try connect(timeout: .seconds(1))
    } catch ControlError.notRunning {
      return try remove()
    } catch let error as SystemError where error.code == EAGAIN {
      // It is alive, with its queue full.
    }
    throw ControlError.alreadyRunning(stateFolder: stateFolder)
  }

  private func make(nonBlocking: Bool) throws(SystemError) -> OwnedDescriptor {
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
    let type = Int32(nonBlocking ? kind | SOCK_NONBLOCK.rawValue : kind)
    return OwnedDescriptor(
      try retryingOnInterrupt("make a Unix socket") { socket(AF_UNIX, type, 0) })
  }

  private func limit(_ socket: Int32, _ timeout: Duration) throws(SystemError) {
    let (seconds, attoseconds) = timeout.components
    var value = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      try retryingOnInterrupt("setsockopt SO_SNDTIMEO") {
        setsockopt(socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
      }
    }
  }

  private func withAddress<Result>(
    _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let text = Array("/proc/self/fd/\(folder.raw)/\(Self.name)".utf8)
    // SAFETY: `text` is checked to fit, with the NUL that is there already.
    withUnsafeMutableBytes(of: &address.sun_path) { space in
      precondition(text.count < space.count, "a path of /proc fits sun_path")
      space.copyBytes(from: text)
    }
    // SAFETY: `address` outlives the call. With _GNU_SOURCE, C takes a union of pointers to each
    // kind of address.
    return withUnsafePointer(to: &address) {
      body(__CONST_SOCKADDR_ARG(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
}

import CLinux
import Glibc
import System
import Testing
import Transport

/// A folder that is gone when the object is.
final class ScratchFolder {
  let path: String

  init() throws {
    path = "/tmp/fsharefs-tls-\(String(SecureRandom.uint64(), radix: 16))"
    try File.makeDirectories(path, mode: 0o700)
  }

  deinit {
    for name in [TLSIdentity.keyName, TLSIdentity.certificateName] { unlink("\(path)/\(name)") }
    rmdir(path)
  }
}

/// A TLS key that was never used before.
func freshIdentity() throws -> TLSIdentity {
  let folder = try ScratchFolder()
  return try withExtendedLifetime(folder) { try TLSIdentity(folder: $0.path) }
}

/// What a program writes to its standard output, through a shell.
func output(of command: String) throws -> String {
  guard let pipe = popen(command, "r") else { throw SystemError("run \(command)") }
  var bytes = [UInt8](repeating: 0, count: 65536)
  let count = fread(&bytes, 1, bytes.count, pipe)
  pclose(pipe)
  return String(decoding: bytes.prefix(count), as: UTF8.self)
}

/// A ClientHello as a program of this machine would send it, with the given protocols.
func clientHello(protocols: [String] = [], extra: [UInt8] = []) -> [UInt8] {
  func list(_ content: [UInt8], _ lengthBytes: Int) -> [UInt8] {
    (0..<lengthBytes).reversed().map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
      + content
  }
  func field(_ type: Int, _ content: [UInt8]) -> [UInt8] {
    [UInt8(type >> 8), UInt8(type & 255)] + list(content, 2)
  }
  var extensions = field(43, [2, 3, 4]) + extra
  if !protocols.isEmpty {
    extensions += field(16, list(protocols.flatMap { list(Array($0.utf8), 1) }, 2))
  }
  let body =
    [3, 3] + [UInt8](repeating: 7, count: 32) + list([UInt8](repeating: 9, count: 32), 1)
    + list([0x13, 1], 2) + list([0], 1) + list(extensions, 2)
  return [0x16, 3, 1] + list([1] + list(body, 3), 2)
}

extension TestHub {
  /// CPU time that the service thread uses in `span`, without anybody asking it for anything.
  func cpuTime(in span: Duration) -> Duration? {
    let times = Monitor<[Duration]>([])
    let server = self.server!
    onTimer = {
      times.update { $0.append(threadTime()) }
    }
    server.perform {
      times.update { $0.append(threadTime()) }
      server.setTimer(after: span)
    }
    return times.wait(timeout: patience) { $0.count == 2 ? $0[1] - $0[0] : nil }
  }
}

private func threadTime() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}

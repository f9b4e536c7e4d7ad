import Glibc

/// Bytes that a TCP connection has received in its life; 0 where the kernel does not say.
func receivedBytes(_ socket: Int32) -> UInt64 {
  // `tcpi_bytes_received` of linux/tcp.h's struct tcp_info, which Glibc's own does not have.
  let offset = 128
  var info = [UInt8](repeating: 0, count: 256)
  var length = socklen_t(info.count)
  guard getsockopt(socket, SOL_TCP, TCP_INFO, &info, &length) == 0,
    Int(length) >= offset + 8
  else { return 0 }
  return info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
}

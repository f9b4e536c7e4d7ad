import Glibc

/// What the kernel is told of the socket of a bulk stream.
package enum BulkSocket {
  /// Bytes that may wait in the kernel for a peer on this machine: what Linux lets everybody ask
  /// for (`net.core.wmem_max`), which it doubles for its own bookkeeping.
  ///
  /// Left to itself it takes 4 MiB, which have left the processor's cache when they are read, and
  /// wakes the reader for nearly every write. Across a network it knows better: there the buffer
  /// has to hold what is under way.
  package static let localBuffer = 208 << 10

  /// Bounds the buffer of a connected socket whose other end is on this machine.
  package static func prepare(_ descriptor: Int32) {
    guard let own = SocketEnd.own(descriptor)?.address,
      own == SocketEnd.peer(descriptor)?.address
    else { return }
    var bytes = Int32(localBuffer)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, socklen_t(4))
  }
}

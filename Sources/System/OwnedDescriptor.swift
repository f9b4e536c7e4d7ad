import Glibc

/// A file descriptor that is closed when its last owner lets go of it.
package final class OwnedDescriptor: Sendable {
  /// The descriptor; valid for as long as this object is referenced.
  package let raw: Int32

  /// Takes ownership of an open descriptor.
  package init(_ raw: Int32) {
    precondition(raw >= 0, "an owned descriptor is open")
    self.raw = raw
  }

  deinit {
    // Not retried: on Linux the descriptor is gone even when close was interrupted.
    _ = close(raw)
  }
}

/// What a member does about its lines to others. Everything is called on the plane's service
/// thread.
package protocol DirectPlaneHandler: AnyObject {
  /// A handshake is complete: with whom, the secret that only its two ends have, and the address at
  /// the other end. `dial`: of the attempt that made it; nil where the other end dialled. Returns:
  /// false where nothing is to be said to it.
  func lineShaken(
    _ id: UInt64, peer: [UInt8], secret: [UInt8], address: String, dial: UInt64?
  ) -> Bool
  /// Bytes came; or, where `rest` is not zero, for so long nothing more is read of the line, since
  /// that is the limit.
  func lineHeard(_ id: UInt64, rest: Duration)
  /// A frame came; its four length bytes are still before it. Returns: false to close the line.
  func lineReceived(_ id: UInt64, frame: consuming [UInt8]) -> Bool
  /// So many bytes of frames were handed to the kernel since the last call.
  func lineSent(_ id: UInt64, bytes: Int)
  /// A line whose handshake was complete is gone.
  func lineClosed(_ id: UInt64, why: String)
  /// No address of an attempt answered as whom it was to; for people, with the reason of each.
  func dialFailed(_ dial: UInt64, why: String)
}

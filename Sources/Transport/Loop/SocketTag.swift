import CWebSockets

/// What libwebsockets keeps for a socket of ours: its number, never an address.
func tag(_ id: UInt64) -> UnsafeMutableRawPointer? {
  UnsafeMutableRawPointer(bitPattern: UInt(id))
}

/// The number given to a socket when it was made; 0 for none.
func tag(of socket: OpaquePointer) -> UInt64 {
  UInt64(UInt(bitPattern: lws_get_opaque_user_data(socket)))
}

/// Takes the number from a socket, so that nothing that happens to it is heard any more.
func forgetTag(of socket: OpaquePointer) {
  lws_set_opaque_user_data(socket, nil)
}

/// Closes a socket from outside its own callback, soon and without ceremony.
func kill(_ socket: OpaquePointer) {
  lws_set_timeout(socket, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC)
}

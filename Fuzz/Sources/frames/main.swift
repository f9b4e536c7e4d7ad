import Fuzzer
import Protocol

/// The head of a frame of the bulk plane, and of a line; what is sealed of addresses.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  if (try? DirectFrame.isMessage(bytes)) == true {
    precondition(
      bytes.count <= DirectFrame.payloadOffset + DirectFrame.messageLimit, "it has a limit")
  }
  if let addresses = try? MemberAddresses(decoding: bytes) {
    precondition(addresses.encoded == bytes, "addresses have one form only")
  }
  guard let key = try? BulkFrame.key(of: bytes) else { return 0 }
  let payload = bytes.count - BulkFrame.payloadOffset
  precondition(
    BulkFrame.header(key, payload: payload) == Array(bytes[..<BulkFrame.payloadOffset]),
    "the head has one form only: it is what a seal is bound to")
  return 0
}

fuzz(fuzzOne)

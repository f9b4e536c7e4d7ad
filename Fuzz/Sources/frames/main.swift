import Fuzzer
import Protocol

/// The head of a frame of the bulk plane.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  guard let key = try? BulkFrame.key(of: bytes) else { return 0 }
  let payload = bytes.count - BulkFrame.payloadOffset
  precondition(
    BulkFrame.header(key, payload: payload) == Array(bytes[..<BulkFrame.payloadOffset]),
    "the head has one form only: it is what a seal is bound to")
  return 0
}

fuzz(fuzzOne)

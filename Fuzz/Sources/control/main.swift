import Control
import Fuzzer

/// The frames of the control socket, as either end takes them.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  guard let length = try? ControlFrame.length(of: bytes, limit: 65_536), length <= bytes.count
  else { return 0 }
  let frame = Array(bytes[..<length])
  if let request = try? ControlFrame.decode(ControlRequest.self, from: frame) {
    precondition(
      (try? ControlFrame.encode(request, limit: 1 << 20)) != nil, "what was decoded can be encoded")
  }
  if let value = try? ControlFrame.decode(JSONValue.self, from: frame) { _ = try? value.text() }
  return 0
}

fuzz(fuzzOne)

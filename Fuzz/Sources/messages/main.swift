import Fuzzer
import Protocol

/// The codec of the control plane: what it takes, it gives back byte for byte.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = input(start, count)
  guard let message = try? Message(decoding: bytes) else { return 0 }
  guard let again = try? message.encoded(), let copy = try? Message(decoding: again) else {
    preconditionFailure("what was decoded can be encoded")
  }
  precondition(copy == message, "encoding loses nothing")
  _ = try? OrderedChange.decode(message)
  _ = try? ProposedChange.decode(message)
  return 0
}

fuzz(fuzzOne)

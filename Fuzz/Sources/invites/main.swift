import Fuzzer
import Protocol

/// Invite links: one form for one invite, and nothing in it that a shell or a terminal would take
/// for more.
private func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let text = String(decoding: input(start, count), as: UTF8.self)
  guard let invite = Invite(link: text) else { return 0 }
  precondition(invite.description == text, "a link has one form only")
  precondition(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "a link is plain text")
  return 0
}

fuzz(fuzzOne)

import Control
import Core
import Protocol
import System

/// Looking for names in the list.
extension GroupSession {
  /// Answers `find`: names that have all of the words, in either case. Looks at the list as it is
  /// now; its owner's own files are in it, once the group has them.
  func find(_ words: String) -> ControlResponse {
    let wanted = words.pathBytes.split(separator: UInt8(ascii: " ")).map { Self.lowered($0) }
    guard !wanted.isEmpty else { return .report(FindReport(paths: [], isMore: false)) }
    let (list, gone) = state.withLock { state in
      (
        state.member.replica.list,
        Set(state.member.presences.lazy.filter { $0.value == .gone }.map(\.key))
      )
    }
    // Under no lock: of a long list it takes a while.
    let found = list.paths(
      limit: Self.findLimit + 1, where: { !gone.contains($0) },
      matching: { name in
        let name = Self.lowered(name)
        return wanted.allSatisfy { Self.contains(name, $0) }
      })
    let isMore = found.count > Self.findLimit
    let paths = found.prefix(Self.findLimit).map { String(pathBytes: $0.bytes) }
    return .report(FindReport(paths: Array(paths), isMore: isMore))
  }

  private static let findLimit = 200

  private static func lowered(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.map { (65...90).contains($0) ? $0 + 32 : $0 }
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first, text.count >= part.count else { return part.isEmpty }
    for start in 0...(text.count - part.count)
    where text[start] == first && text[start..<(start + part.count)].elementsEqual(part) {
      return true
    }
    return false
  }
}

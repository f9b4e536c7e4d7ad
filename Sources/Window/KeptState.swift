import FoundationEssentials
import Logging
import State
import System

/// What a window keeps over restarts, in one file of its folder of the state folder.
final class KeptState<Content: Codable & Sendable>: Sendable {
  private let kind: StateKind
  private let path: String
  private let content: Locked<Content>
  private let log: Logger

  /// Reads the file; what is damaged is set aside, and made anew. Blocks.
  init(_ kind: StateKind, in folder: String, initially first: Content, log: Logger) {
    self.kind = kind
    self.log = log
    path = folder + "/" + kind.rawValue
    var found: Content?
    do throws(StateFault) {
      if let text = try SmallFile.text(kind, path) {
        found = try? JSONDecoder().decode(Content.self, from: Data(text.utf8))
        if found == nil { throw StateFault.damaged(kind, path, "it is garbled") }
      }
    } catch {
      let aside = (try? StateFile.setAside(path)).map { "; it is kept as \($0)" } ?? ""
      log.warning("\(error)\(aside)")
    }
    content = Locked(found ?? first)
  }

  var value: Content { content.withLock { $0 } }

  /// Changes it, and writes it down. Throws where the disk does not take it: then it is as before.
  /// Blocks.
  func change<Result>(_ body: (inout Content) -> Result) throws(SystemError) -> Result {
    let (result, failure) = content.withLock { content -> (Result, SystemError?) in
      var changed = content
      let result = body(&changed)
      do throws(SystemError) {
        let text = (try? JSONEncoder().encode(changed)).map { Array($0) } ?? []
        try StateFile.write(kind, path, text)
        content = changed
        return (result, nil)
      } catch { return (result, error) }
    }
    if let failure { throw failure }
    return result
  }

  /// Changes what need not outlive the process: it is written with the next change.
  func note(_ body: (inout Content) -> Void) { content.withLock { body(&$0) } }
}

import Logging
import State
import System

/// Which browsers are let in.
///
/// One comes in by a token, once; then it has a cookie, which every port of this machine sees, and a
/// key, which only pages of this one have: what is asked for needs both.
final class Browsers: Sendable {
  /// A browser that is let in.
  struct Browser: Codable, Sendable {
    var id: String
    var label: String
    var since: Int64
    var seen: Int64
    var cookieHash: String
    var keyHash: String
  }

  /// What is kept: the browsers, and the port at which they know this window.
  struct Kept: Codable, Sendable {
    var browsers: [Browser] = []
    var port: UInt16 = 0
    /// Tells cookies of several windows of one machine apart.
    var cookieName = "fsharefs-" + Secret.make().prefix(8)
  }

  private struct Tokens {
    /// Until when each is good, by its hash.
    var good: [String: Duration] = [:]
    /// Tries with others, in the last minute.
    var wrong = 0
    var since: Duration = .zero
  }

  private let kept: KeptState<Kept>
  private let tokens = Locked(Tokens())

  /// How long a token is good.
  static let tokenTime = Duration.seconds(300)
  private static let limit = 64
  private static let wrongLimit = 20

  init(folder: String, log: Logger) {
    kept = KeptState(.browsers, in: folder, initially: Kept(), log: log)
  }

  var port: UInt16 { kept.value.port }
  var cookieName: String { kept.value.cookieName }

  func keep(port: UInt16) {
    if kept.value.port != port { _ = try? kept.change { $0.port = port } }
  }

  /// A token that lets one browser in.
  func makeToken() -> String {
    let token = Secret.make()
    let now = MonotonicClock.now
    tokens.withLock { tokens in
      tokens.good = tokens.good.filter { $0.value > now }
      tokens.good[Secret.hash(token)] = now + Self.tokenTime
    }
    return token
  }

  /// What a browser gets that is let in.
  struct Admission {
    let cookie: String
    let key: String
  }

  enum Refusal: Error {
    case tooOften, unknown
    case disk(SystemError)
  }

  /// Lets a browser in. Blocks.
  func admit(token: String, label: String) throws(Refusal) -> Admission {
    let now = MonotonicClock.now
    let hash = Secret.hash(token)
    let verdict = tokens.withLock { tokens -> Refusal? in
      if now - tokens.since > .seconds(60) { (tokens.since, tokens.wrong) = (now, 0) }
      guard tokens.wrong < Self.wrongLimit else { return .tooOften }
      if let until = tokens.good.removeValue(forKey: hash), until > now { return nil }
      tokens.wrong += 1
      return .unknown
    }
    if let verdict { throw verdict }
    let (cookie, key) = (Secret.make(), Secret.make())
    let seconds = WallClock.seconds
    let browser = Browser(
      id: String(Secret.make().prefix(8)), label: String(label.prefix(80)), since: seconds,
      seen: seconds, cookieHash: Secret.hash(cookie), keyHash: Secret.hash(key))
    do throws(SystemError) {
      try kept.change { kept in
        kept.browsers.append(browser)
        if kept.browsers.count > Self.limit {
          kept.browsers.sort { $0.seen < $1.seen }
          kept.browsers.removeFirst()
        }
      }
    } catch { throw .disk(error) }
    return Admission(cookie: cookie, key: key)
  }

  /// The browser that shows these; nil where none does.
  func browser(cookie: String, key: String) -> Browser? {
    let (cookieHash, keyHash) = (Secret.hash(cookie), Secret.hash(key))
    guard
      let found = kept.value.browsers.first(where: {
        $0.cookieHash == cookieHash && $0.keyHash == keyHash
      })
    else { return nil }
    let now = WallClock.seconds
    if now - found.seen > 60 {
      kept.note { kept in
        if let index = kept.browsers.firstIndex(where: { $0.id == found.id }) {
          kept.browsers[index].seen = now
        }
      }
    }
    return found
  }

  var all: [Browser] { kept.value.browsers }

  /// Lets a browser in no more. False where there is none. Blocks.
  func end(_ id: String) throws(SystemError) -> Bool {
    try kept.change { kept in
      let count = kept.browsers.count
      kept.browsers.removeAll { $0.id == id }
      return kept.browsers.count < count
    }
  }
}

import Control
import FoundationEssentials
import Glibc
import Logging
import Protocol
import System
import Transport

/// The page of a member: who may ask what, and what is answered.
final class MemberSite: WebHandler {
  private let stateFolder: String
  private let share: ShareFolder
  private let browsers: Browsers
  private let listings = Listings()
  private let feed: LiveFeed
  private let standing: Standing
  private let log: Logger
  /// Sockets that have not shown their key yet: the cookie that each came with.
  private let strangers = Locked<[WebSocketID: String]>([:])
  private let ownAddress = Locked("")

  /// Bytes of the JSON of a request.
  private static let bodyLimit = 64 * 1024

  init(
    stateFolder: String, mountpoint: String, browsers: Browsers, feed: LiveFeed,
    standing: Standing, log: Logger
  ) {
    self.stateFolder = stateFolder
    share = ShareFolder(mountpoint: mountpoint, root: PlaceInShare([])!)
    self.browsers = browsers
    self.feed = feed
    self.standing = standing
    self.log = log
  }

  /// The port at which the page is, once that is known.
  func listens(at port: UInt16) { ownAddress.withLock { $0 = "\(port)" } }

  // MARK: Who asks

  /// Names under which this machine calls itself: whatever else a name server says is 127.0.0.1 is
  /// a page of somebody else (DNS rebinding).
  private func isOwnHost(_ host: String) -> Bool {
    let port = ownAddress.withLock { $0 }
    return ["127.0.0.1", "localhost", "[::1]"].contains { host == "\($0):\(port)" }
  }

  private func isSameOrigin(_ request: WebRequest) -> Bool {
    guard isOwnHost(request.host) else { return false }
    if let origin = request.origin, origin != "http://\(request.host)" { return false }
    return ["same-origin", "none", nil].contains(request.fetchSite)
  }

  private func cookie(of request: WebRequest) -> String? {
    Cookies.value(of: browsers.cookieName, in: request.cookie)
  }

  private func browser(_ request: WebRequest, key: String?) -> Browsers.Browser? {
    guard let key, let cookie = cookie(of: request) else { return nil }
    return browsers.browser(cookie: cookie, key: key)
  }

  func reply(to request: WebRequest) -> WebReply {
    guard isOwnHost(request.host) else {
      return .response(Answers.refusal(421, "this is not the address of the window"))
    }
    let path = request.path.drop { $0 == UInt8(ascii: "/") }
    let first = String(decoding: path.prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)
    let rest = Array(path.dropFirst(first.utf8.count).drop { $0 == UInt8(ascii: "/") })
    // The page itself says nothing of anybody, and may be gone to by a link.
    if request.method == .get || request.method == .head, rest.isEmpty,
      let page = Page.answer(first.isEmpty ? "index.html" : first)
    {
      return .response(page)
    }
    guard isSameOrigin(request) else {
      return .response(Answers.refusal(403, "pages of other origins may ask for nothing here"))
    }
    switch (request.method, first) {
    case (.get, "files"), (.head, "files"): return content(rest, request, asArchive: false)
    case (.get, "zip"), (.head, "zip"): return content(rest, request, asArchive: true)
    case (_, "api"): return api(String(decoding: rest, as: UTF8.self), rest, request)
    default: return .response(Answers.refusal(404, "there is nothing here"))
    }
  }

  private func content(_ rest: [UInt8], _ request: WebRequest, asArchive: Bool) -> WebReply {
    let key = rest.prefix { $0 != UInt8(ascii: "/") }
    guard browser(request, key: String(decoding: key, as: UTF8.self)) != nil else {
      return Self.shutOut
    }
    guard let place = PlaceInShare(Array(rest.dropFirst(key.count + 1))) else {
      return .response(Answers.refusal(400, "that is no path in the share"))
    }
    let share = share
    return .work {
      asArchive ? Contents.archive(place, in: share) : Contents.file(place, in: share, request)
    }
  }

  private static let shutOut = WebReply.response(
    Answers.refusal(
      401, "this browser is not let in: type fsharectl window for an address that lets it in"))

  private func api(_ name: String, _ rest: [UInt8], _ request: WebRequest) -> WebReply {
    if name == "login", request.method == .post {
      return .body(limit: Self.bodyLimit) { [self] in .response(login($0)) }
    }
    guard let browser = browser(request, key: request.key) else { return Self.shutOut }
    let word = String(name.prefix { $0 != "/" })
    let place = PlaceInShare(Array(rest.dropFirst(word.utf8.count + 1)))
    switch (request.method, word) {
    case (.get, "list"): return .work { [self] in .response(list(request)) }
    case (.get, "find"): return .work { [self] in .response(find(request)) }
    case (.get, "qr"): return .response(Self.code(request))
    case (.get, "browsers"): return .response(all(asSeenBy: browser))
    case (.post, "browsers"):
      return .body(limit: Self.bodyLimit) { [self] in .response(endBrowser($0)) }
    case (.post, "control"):
      return .body(limit: Self.bodyLimit) { [self] in .response(control($0)) }
    case (.put, "files"):
      guard let place, !place.bytes.isEmpty else { break }
      return receive(place, replaces: request.query["replace"] != nil)
    case (.put, "folder"):
      guard let place else { break }
      return .body(limit: 0) { [self] _ in .response(makeFolder(place)) }
    case (.delete, "files"):
      guard let place else { break }
      return .work { [self] in .response(Removal.answer(place, in: share)) }
    default: return .response(Answers.refusal(404, "there is nothing here"))
    }
    return .response(Answers.refusal(400, "that is no path in the share"))
  }

  // MARK: Browsers

  private struct LoginRequest: Decodable {
    var token: String
    var browser: String?
  }

  private func login(_ body: [UInt8]) -> WebResponse {
    guard let request = try? JSONDecoder().decode(LoginRequest.self, from: Data(body)) else {
      return Answers.refusal(400, "that is no login")
    }
    do throws(Browsers.Refusal) {
      let admission = try browsers.admit(
        token: request.token, label: request.browser ?? "a browser")
      log.notice("a browser was let in: \(TerminalText.escaped(request.browser ?? ""))")
      let cookie =
        "\(browsers.cookieName)=\(admission.cookie); Path=/; HttpOnly; SameSite=Strict; "
        + "Max-Age=31536000"
      return Answers.json(["key": admission.key], [("Set-Cookie", cookie)])
    } catch {
      switch error {
      case .tooOften: return Answers.refusal(429, "too many tries: wait a minute")
      case .unknown:
        return Answers.refusal(
          403, "this address was used, or is too old: type fsharectl window for another")
      case .disk(let error):
        return Answers.refusal(507, "this browser cannot be written down: \(error)")
      }
    }
  }

  private struct ShownBrowser: Encodable {
    var id: String
    var label: String
    var since: Int64
    var seen: Int64
    var isThis: Bool
  }

  private func all(asSeenBy asking: Browsers.Browser) -> WebResponse {
    Answers.json([
      "browsers": browsers.all.map {
        ShownBrowser(
          id: $0.id, label: $0.label, since: $0.since, seen: $0.seen, isThis: $0.id == asking.id)
      }
    ])
  }

  private func endBrowser(_ body: [UInt8]) -> WebResponse {
    guard let id = (try? JSONDecoder().decode([String: String].self, from: Data(body)))?["id"]
    else {
      return Answers.refusal(400, "say which")
    }
    do throws(SystemError) {
      guard try browsers.end(id) else { return Answers.refusal(404, "there is none like that") }
      feed.checkBrowsers(browsers)
      return Answers.done(200, "that browser is not let in any more")
    } catch { return Answers.refusal(507, "that cannot be written down: \(error)") }
  }

  // MARK: Asking fsharefs

  private struct Command: Decodable {
    var command: String
    var arguments: [String]?
    /// As it stands in an address.
    var path: String?
  }

  /// What a page may ask of the control socket: all but leaving, and letting others in here.
  private static let commands: Set<String> = [
    "status", "members", "transfers", "keeps", "shares", "invite", "approve", "disapprove", "name",
    "pause", "resume", "pause-uploads", "resume-uploads", "limit", "keep", "unkeep", "fetch",
    "share", "unshare", "why", "guests", "guest", "guest-end",
  ]

  private func control(_ body: [UInt8]) -> WebResponse {
    guard let asked = try? JSONDecoder().decode(Command.self, from: Data(body)),
      Self.commands.contains(asked.command)
    else { return Answers.refusal(400, "a page cannot ask for that") }
    var words = asked.arguments ?? []
    if let path = asked.path {
      guard let bytes = PercentEncoding.bytes(path), PlaceInShare(bytes) != nil else {
        return Answers.refusal(400, "that is no path in the share")
      }
      words.insert("/" + String(pathBytes: bytes), at: 0)
    }
    if asked.command == "share", words.count == 1 {
      words.append(words[0].split(separator: "/").last.map(String.init) ?? "")
    }
    do {
      let answer = try ControlClient.call(
        stateFolder: stateFolder,
        request: ControlRequest(command: asked.command, arguments: words))
      guard answer.status == 0 else { return Answers.refusal(409, answer.message) }
      let result = answer.result ?? .object(["message": .string(answer.message)])
      return Answers.json(["result": result])
    } catch { return Answers.refusal(503, "fsharefs does not answer: \(error)") }
  }

  // MARK: Files

  private struct List: Encodable {
    var path: String
    var total: Int
    var from: Int
    var generation: UInt64
    var sorted: String
    var items: [Item]
  }

  private static let rows = 200

  private func list(_ request: WebRequest) -> WebResponse {
    func number(_ name: String) -> Int {
      request.query[name].flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    }
    func word(_ name: String) -> String {
      request.query[name].map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    guard let place = PlaceInShare(request.query["path"] ?? []) else {
      return Answers.refusal(400, "that is no path in the share")
    }
    let question = Listings.Question(
      root: [], path: place.bytes, order: Listings.Order(rawValue: word("sort")) ?? .name,
      isDescending: word("order") == "down")
    let now = standing.now
    do throws(SystemError) {
      let listing = try listings.names(question, in: share, place, change: now.change)
      let from = max(0, min(number("from"), listing.names.count))
      let count = max(0, min(number("count"), Self.rows))
      let folder = try share.open(place, O_RDONLY | O_DIRECTORY)
      let items = listing.names[from...].prefix(count).map { name in
        // Gone meanwhile: its row stays until the page is told of the next list.
        (try? Item(name, in: folder, ownID: now.ownID, isMember: true)) ?? Item(gone: name)
      }
      return Answers.json(
        List(
          path: place.encoded, total: listing.names.count, from: from,
          generation: listing.generation, sorted: listing.order.rawValue, items: Array(items)))
    } catch { return Answers.refusal(error, place) }
  }

  private struct Found: Encodable {
    var items: [Item] = []
    var isMore: Bool
  }

  private func find(_ request: WebRequest) -> WebResponse {
    let words = request.query["words"].map { String(pathBytes: $0) } ?? ""
    guard
      let report = ControlClient.report(
        FindReport.self, of: "find", [words], stateFolder: stateFolder, timeout: .seconds(20))
    else { return Answers.refusal(503, "fsharefs does not answer") }
    var found = Found(isMore: report.isMore)
    let now = standing.now
    for path in report.paths {
      guard let place = PlaceInShare(path.pathBytes), !place.bytes.isEmpty,
        let (folder, name) = try? share.parent(of: place),
        var item = try? Item(name, in: folder, ownID: now.ownID, isMember: true)
      else { continue }
      item.path = place.encoded
      item.where = Answers.shown(Array(place.bytes.dropLast(name.count + 1)))
      found.items.append(item)
    }
    return Answers.json(found)
  }

  private func receive(_ place: PlaceInShare, replaces: Bool) -> WebReply {
    let share = share
    return .receive(limit: UInt64(Int64.max)) {
      do throws(SystemError) {
        return .sink(try FileSink(place, in: share, replaces: replaces))
      } catch { return .refused(Answers.refusal(error, place)) }
    }
  }

  private func makeFolder(_ place: PlaceInShare) -> WebResponse {
    do throws(SystemError) {
      try share.makeFolders(place)
      return Answers.done(201, "the folder is there")
    } catch { return Answers.refusal(error, place) }
  }

  private static func code(_ request: WebRequest) -> WebResponse {
    let text = String(decoding: request.query["text"] ?? [], as: UTF8.self)
    guard let modules = QRCode.modules(of: text) else {
      return Answers.refusal(400, "that is too long for a code")
    }
    return Answers.json(["rows": modules.map { String($0.map { $0 ? "1" : "0" }) }])
  }

  // MARK: What is live

  func mayOpenSocket(_ request: WebRequest) -> Bool {
    guard request.path == Array("/live".utf8), request.origin != nil, isSameOrigin(request),
      let cookie = cookie(of: request)
    else { return false }
    nextCookie.withLock { $0 = cookie }
    return true
  }

  /// Of the socket that is opened next: both is told on the service thread, one after the other.
  private let nextCookie = Locked("")

  func socketOpened(_ id: WebSocketID) {
    let cookie = nextCookie.withLock { $0 }
    strangers.withLock { $0[id] = cookie }
  }

  func socketReceived(_ id: WebSocketID, _ text: String) {
    guard let cookie = strangers.withLock({ $0.removeValue(forKey: id) }) else { return }
    guard let browser = browsers.browser(cookie: cookie, key: text) else {
      return feed.shutOut(id)
    }
    feed.add(id, of: browser.id)
  }

  func socketClosed(_ id: WebSocketID) {
    _ = strangers.withLock { $0.removeValue(forKey: id) }
    feed.remove(id)
  }
}

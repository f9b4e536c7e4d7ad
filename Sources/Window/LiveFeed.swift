import Control
import FoundationEssentials
import Logging
import System
import Transport

/// Tells open pages what has changed: asks `fsharefs` a few times a second, as long as there are
/// pages, and tells each what differs from what it was told last.
// SAFETY: `server` is set once, before anything is started; the rest is under `state`.
final class LiveFeed: @unchecked Sendable {
  private struct Page {
    /// The browser's id.
    let browser: String
    var told: [String: JSONValue] = [:]
    var lastEvent: Int64 = 0
    var change: UInt64?
  }

  private struct State {
    var pages: [WebSocketID: Page] = [:]
    var isStopping = false
  }

  private let stateFolder: String
  private let state = Monitor(State())
  private let thread = Locked<JoinableThread?>(nil)
  private let guests: GuestDesk
  private(set) weak var server: WebServer?

  /// How often `fsharefs` is asked.
  private static let every = Duration.milliseconds(400)
  private static let reports = ["status", "members", "transfers", "keeps"]

  init(stateFolder: String, guests: GuestDesk) {
    self.stateFolder = stateFolder
    self.guests = guests
  }

  func start(_ server: WebServer) throws(SystemError) {
    self.server = server
    let made = try Thread.start(name: "live") { [weak self] in self?.run() }
    thread.withLock { $0 = made }
  }

  func stop() {
    state.update { $0.isStopping = true }
    thread.withLock { $0 }?.join()
  }

  func add(_ id: WebSocketID, of browser: String) {
    state.update { $0.pages[id] = Page(browser: browser) }
  }

  func remove(_ id: WebSocketID) { state.update { $0.pages[id] = nil } }

  func shutOut(_ id: WebSocketID) { server?.close(id, code: 4401, "not let in") }

  /// Closes the pages of browsers that are not let in any more.
  func checkBrowsers(_ browsers: Browsers) {
    let known = Set(browsers.all.map(\.id))
    let out = state.withLock { state in
      state.pages.filter { !known.contains($0.value.browser) }.map(\.key)
    }
    for id in out { shutOut(id) }
  }

  private func run() {
    var isFirst = true
    while true {
      let isStopping: Bool
      if isFirst {
        isFirst = false
        isStopping = state.withLock { $0.isStopping }
      } else {
        let isOver = state.wait(timeout: Self.every) { $0.isStopping ? true : nil } ?? false
        isStopping = isOver
      }
      if isStopping { return }
      // Nobody looks: nobody is asked.
      let waited = state.wait { state -> Bool? in
        if state.isStopping { return false }
        return state.pages.isEmpty ? nil : true
      }
      if waited != true { return }
      tell()
    }
  }

  private func tell() {
    var found: [String: JSONValue] = [:]
    for name in Self.reports { found[name] = ask(name, []) }
    found["guests"] = try? JSONValue(encoding: guests.report)
    let change = found["status"].flatMap { try? $0.decode(as: StatusReport.self) }
      .map(Standing.change)
    let pages = state.withLock { $0.pages }
    let oldest = pages.values.map(\.lastEvent).min() ?? 0
    let events = ControlClient.report(
      EventsReport.self, of: "events", ["\(oldest)"], stateFolder: stateFolder,
      timeout: .seconds(5))
    for (id, page) in pages { tell(id, page, found, change, events?.events ?? []) }
  }

  private func tell(
    _ id: WebSocketID, _ page: Page, _ found: [String: JSONValue], _ change: UInt64?,
    _ events: [EventsReport.Event]
  ) {
    var page = page
    var message: [String: JSONValue] = [:]
    for (name, report) in found where page.told[name] != report {
      // How old the list is grows with every second, and is no news.
      message[name] = report
      page.told[name] = report
    }
    if let change, change != page.change {
      message["list"] = .integer(Int64(truncatingIfNeeded: change >> 12))
      page.change = change
    }
    let news = events.filter { $0.number > page.lastEvent }
    if let last = news.last {
      page.lastEvent = last.number
      message["events"] = .array(
        news.map { .object(["at": .integer($0.at), "text": .string($0.text)]) })
    }
    guard !message.isEmpty, let text = try? JSONEncoder().encode(JSONValue.object(message)) else {
      return
    }
    server?.send(String(decoding: text, as: UTF8.self), to: id)
    state.withLock { state in
      if state.pages[id] != nil { state.pages[id] = page }
    }
  }

  private func ask(_ command: String, _ words: [String]) -> JSONValue? {
    let request = ControlRequest(command: command, arguments: words)
    return
      (try? ControlClient.call(
        stateFolder: stateFolder, request: request, timeout: .seconds(5)))?.result
  }
}

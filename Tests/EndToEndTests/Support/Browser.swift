import Control
import Glibc
import System

/// A real browser without a screen, steered by the WebDriver protocol (W3C).
final class Browser {
  private let driver: RunningProcess
  private let http: PlainHTTP
  private let session: String

  /// Starts Chromium, with a window of this size.
  init(_ fixture: Fixture, width: Int = 1200, height: Int = 900) throws {
    let log = fixture.newPath("driver") + ".log"
    driver = try RunningProcess(["chromedriver", "--port=0"], output: log, errors: log)
    _ = fixture.watch(driver)
    let port = try eventuallySome("the driver says its port") { () -> UInt16? in
      let words = "started successfully on port "
      guard let range = try Files.text(log).firstRange(of: words) else { return nil }
      return UInt16(try Files.text(log)[range.upperBound...].prefix { $0.isNumber })
    }
    http = PlainHTTP(port: port)
    let profile = try fixture.newFolder("profile")
    let arguments = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--autoplay-policy=no-user-gesture-required", "--window-size=\(width),\(height)",
      "--user-data-dir=\(profile)",
    ]
    let options = JSONValue.object(["args": .array(arguments.map { .string($0) })])
    let wanted = JSONValue.object([
      "acceptInsecureCerts": .bool(true), "goog:chromeOptions": options,
    ])
    let made = try Self.call(
      http, "POST", "/session",
      .object(["capabilities": .object(["alwaysMatch": wanted])]))
    guard case .object(let object) = made, case .string(let id)? = object["sessionId"] else {
      throw NeverHappened(description: "no session of the browser: \(made)")
    }
    session = id
    // A phone is narrower than any window of a desktop.
    if width < 500 {
      _ = try call(
        "POST", "/goog/cdp/execute",
        .object([
          "cmd": .string("Emulation.setDeviceMetricsOverride"),
          "params": .object([
            "width": .integer(Int64(width)), "height": .integer(Int64(height)),
            "deviceScaleFactor": .integer(2), "mobile": .bool(true),
          ]),
        ]))
    }
  }

  deinit {
    _ = try? call("DELETE", "")
    driver.kill(SIGTERM)
    _ = try? driver.wait()
  }

  func go(to address: String) throws {
    _ = try call("POST", "/url", .object(["url": .string(address)]))
  }

  /// What a piece of JavaScript returns.
  @discardableResult
  func run(_ script: String) throws -> JSONValue {
    try call("POST", "/execute/sync", .object(["script": .string(script), "args": .array([])]))
  }

  /// Waits until an expression of JavaScript is true.
  func waits(for what: String, _ expression: String) throws {
    do {
      try eventually(what) { try run("return Boolean(\(expression))") == .bool(true) }
    } catch {
      let shown = try? run("return document.body.innerText.slice(0, 3000)")
      throw NeverHappened(description: "\(error); the page shows: \(shown ?? .null)")
    }
  }

  /// Waits until the page shows an element, and clicks it.
  func click(_ selector: String) throws {
    try waits(for: "there is \(selector)", "document.querySelector(`\(selector)`)")
    try run("document.querySelector(`\(selector)`).click()")
  }

  /// Chooses files in an input, as a person does.
  func choose(_ files: [String], in selector: String) throws {
    try waits(for: "there is \(selector)", "document.querySelector(`\(selector)`)")
    let found = try call(
      "POST", "/element",
      .object(["using": .string("css selector"), "value": .string(selector)]))
    guard case .object(let object) = found, case .string(let id)? = object.values.first else {
      throw NeverHappened(description: "no element \(selector)")
    }
    _ = try call(
      "POST", "/element/\(id)/value",
      .object(["text": .string(files.joined(separator: "\n"))]))
  }

  private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue
  {
    try Self.call(http, method, "/session/\(session)\(path)", body)
  }

  private static func call(
    _ http: PlainHTTP, _ method: String, _ path: String, _ body: JSONValue?
  ) throws -> JSONValue {
    let text = try body.map { Array(try $0.text().utf8) } ?? []
    let answer = try http.ask(method, path, ["Content-Type: application/json"], body: text)
    guard answer.status == 200,
      case .object(let object) = try JSONValue.parsed(answer.body)
    else { throw NeverHappened(description: "\(method) \(path): \(answer.text)") }
    return object["value"] ?? .null
  }
}

extension Fixture {
  /// The address at which a browser is let in to the window of a daemon.
  func windowAddress(of daemon: Daemon) throws -> String {
    try control(daemon, "window", "--no-open").succeeded().text
      .split(separator: "\n").first.map(String.init) ?? ""
  }

  /// A link for a guest.
  func guestLink(_ daemon: Daemon, _ words: String...) throws -> String {
    let made = try run([Programs.control, "guest"] + words + ["--state", daemon.state, "--json"])
      .succeeded()
    return try JSONValue.parsed(made.output).decode(as: GuestReport.self).link
  }
}

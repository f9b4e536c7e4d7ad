import Control
import Glibc
import Logging
import Protocol
import State
import System
import Transport

/// The process that serves the pages: started by the `fsharefs` whose window it is, and gone with
/// it.
package enum WindowProgram {
  /// By this name `fsharefs` calls itself when it is to be a window.
  package static let name = "fsharefs-window"

  /// What it is started with.
  package struct Settings: Sendable, Equatable {
    package var stateFolder: String
    package var mountpoint: String
    /// Where guests come to; nil: nowhere.
    package var listen: String?
    /// The file of the certificate and key that guests see; nil: one of its own.
    package var certificate: String?

    package init(
      stateFolder: String, mountpoint: String, listen: String?, certificate: String?
    ) {
      self.stateFolder = stateFolder
      self.mountpoint = mountpoint
      self.listen = listen
      self.certificate = certificate
    }

    /// As words of a command line.
    package var words: [String] {
      [stateFolder, mountpoint, listen ?? "", certificate ?? ""]
    }

    /// nil where these are not such words.
    package init?(words: [String]) {
      guard words.count == 4 else { return nil }
      self.init(
        stateFolder: words[0], mountpoint: words[1], listen: words[2].isEmpty ? nil : words[2],
        certificate: words[3].isEmpty ? nil : words[3])
    }

    /// The folder of what it keeps, and of its control socket.
    package var folder: String { stateFolder + "/window" }
  }

  /// What is said on stdout when it serves.
  package static let ready = "ready"

  /// Serves until stdin ends, that is: as long as who started it lives. Says on stdout when it
  /// serves, or why it does not. Returns: the exit code.
  package static func run(_ settings: Settings) -> Int32 {
    Signals.prepareProcess()
    // Terminals and service managers ask a group of processes; this one goes with its `fsharefs`.
    for number in Signals.watched { _ = signal(number, SIG_IGN) }
    _ = chdir("/")
    // Names in archives are UTF-8.
    setlocale(LC_CTYPE, "C.UTF-8")
    DescriptorLimit.raise()
    _ = umask(0o022)
    let log = Logger(label: "window")
    do {
      let window = try Window(settings, log: log)
      try window.start()
      say(ready)
      var byte: UInt8 = 0
      while true {
        let count = read(STDIN_FILENO, &byte, 1)
        if count == 0 || count < 0 && errno != EINTR { break }
      }
      window.stop()
      return 0
    } catch {
      say("\(error)")
      return 1
    }
  }

  private static func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    try? File.writeAll(bytes, to: STDOUT_FILENO, "stdout")
  }
}

/// The parts of a window, and how they are bound.
private final class Window: Sendable {
  private let settings: WindowProgram.Settings
  private let log: Logger
  private let browsers: Browsers
  private let desk: GuestDesk
  private let feed: LiveFeed
  private let site: MemberSite
  private let guests: GuestSite
  private let page: WebServer
  private let entrance: WebServer?
  private let control: ControlServer

  init(_ settings: WindowProgram.Settings, log: Logger) throws {
    self.settings = settings
    self.log = log
    try File.makeDirectories(settings.folder, mode: 0o700)
    try Privacy.check(folder: settings.folder)
    browsers = Browsers(folder: settings.folder, log: log)
    let links = GuestLinks(folder: settings.folder, log: log)
    desk = GuestDesk(links: links, mountpoint: settings.mountpoint)
    feed = LiveFeed(stateFolder: settings.stateFolder, guests: desk)
    let standing = Standing(stateFolder: settings.stateFolder)
    site = MemberSite(
      stateFolder: settings.stateFolder, mountpoint: settings.mountpoint, browsers: browsers,
      feed: feed, standing: standing, log: log)
    guests = GuestSite(mountpoint: settings.mountpoint, links: links, log: log)
    page = try Self.page(site, at: browsers.port, log)
    var entrance: WebServer?
    if let listen = settings.listen {
      let address = try ListenAddress(parsing: listen)
      let identity =
        try settings.certificate.map { try TLSIdentity(file: $0) }
        ?? TLSIdentity(folder: settings.folder)
      var limits = WebLimits()
      limits.connectionsOfPeer = 32
      let server = try WebServer(
        name: "guests", listen: address, tls: identity, limits: limits, handler: guests, log: log)
      entrance = server
      desk.opened(
        GuestDesk.Entrance(
          listen: address, port: server.port,
          fingerprint: settings.certificate == nil
            ? Secret.fingerprint(identity.certificateBytes) : nil))
    }
    self.entrance = entrance
    let (desk, browsers, port) = (desk, browsers, page.port)
    control = ControlServer(stateFolder: settings.folder, log: log) { request in
      switch request.command {
      case "window":
        .report(
          WindowReport(address: "http://127.0.0.1:\(port)/#login=\(browsers.makeToken())"))
      case "guest": desk.make(request.arguments)
      case "guests": .report(desk.report)
      case "guest-end" where request.arguments.count == 1: desk.end(request.arguments[0])
      default: .refused("the window does not know the command '\(request.command)'")
      }
    }
  }

  /// At the port at which browsers know it, or where that is taken at another.
  private static func page(
    _ site: MemberSite, at port: UInt16, _ log: Logger
  ) throws(SystemError) -> WebServer {
    func serve(_ port: UInt16) throws(SystemError) -> WebServer {
      try WebServer(
        name: "window", listen: ListenAddress(host: "127.0.0.1", port: port), tls: nil,
        handler: site, log: log)
    }
    do throws(SystemError) { return try serve(port) } catch {
      guard error.code == EADDRINUSE, port != 0 else { throw error }
      return try serve(0)
    }
  }

  func start() throws {
    site.listens(at: page.port)
    browsers.keep(port: page.port)
    try page.start()
    try entrance?.start()
    try feed.start(page)
    try control.start()
  }

  func stop() {
    control.stop()
    feed.stop()
    entrance?.stop()
    page.stop()
  }
}

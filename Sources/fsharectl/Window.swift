import ArgumentParser
import Control
import Glibc
import System

/// `fsharectl window`
struct Window: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the address of a page on which one sees and steers all this in a browser.",
    discussion: """
      The address lets in one browser of this machine, once, within five minutes; that browser \
      stays let in. Where there is a desktop, it is opened there.

      Example: fsharectl window
      """)

  @Flag(help: "Print it only.")
  var noOpen = false

  @OptionGroup var options: CommonOptions

  func run() throws {
    let session = try Session(options)
    let (report, json) = try session.ask(WindowReport.self, of: "window")
    if options.json { return try session.write(json) }
    try session.write(report.address)
    if !noOpen, isatty(STDOUT_FILENO) == 1 { Desktop.open(report.address) }
  }
}

/// The desktop of whoever sits at this terminal.
private enum Desktop {
  /// Opens an address in a browser; nothing where there is no desktop.
  static func open(_ address: String) {
    guard Environment.get("WAYLAND_DISPLAY") != nil || Environment.get("DISPLAY") != nil else {
      return
    }
    // Not as a word of a command: those can be seen by every user of the machine.
    let page = "<!doctype html><meta http-equiv=refresh content=\"0;url=\(address)\">"
    let folder = Environment.get("XDG_RUNTIME_DIR") ?? ""
    guard folder.hasPrefix("/") else { return }
    let file = folder + "/fsharefs-window.html"
    guard (try? File.writeAtomically(file, Array(page.utf8), mode: 0o600)) != nil else { return }
    var words = ["xdg-open", file].map { strdup($0.cPath) } + [nil]
    defer { for word in words { free(word) } }
    var pid = pid_t()
    // SAFETY: the strings live until the call has returned; the child has its own copies.
    _ = posix_spawnp(&pid, "xdg-open", nil, nil, &words, environ)
  }
}

import ArgumentParser

/// What is for those who are more than a client, and for the way to the hub.
struct RoleOptions: ParsableArguments {
  @Flag(help: "Be the group's master app, of a hub that runs elsewhere.")
  var master = false

  @Option(
    help: ArgumentHelp(
      "With --master: a file with the claim code of a hub that has no master yet (-: stdin).",
      valueName: "file"),
    completion: .file())
  var claimFile: String?

  @Option(help: ArgumentHelp("Where the hub listens, with --host.", valueName: "[addr]:port"))
  var listen = ":7420"

  @Flag(help: "Use, and with --host take, control connections of other machines without TLS.")
  var insecure = false

  @Flag(help: "Use TLS for the bulk streams too, whose content is sealed in any case.")
  var bulkTls = false

  @Option(
    help: ArgumentHelp(
      "Read from members directly where they can be reached (auto), or all through the hub (off).",
      valueName: "auto|off"))
  var direct = "auto"

  @Option(
    help: ArgumentHelp(
      "Where to listen for other members (default: all addresses, a port that the system chooses).",
      valueName: "[addr]:port"))
  var directListen: String?

  @Option(
    help: ArgumentHelp(
      "Answer /healthz and /metrics there (address, port or both; 127.0.0.1 without one).",
      valueName: "addr:port"))
  var metrics: String?

  @Option(
    help: ArgumentHelp(
      "Where guests, who have a link from fsharectl guest, come to with a browser (HTTPS).",
      valueName: "[addr]:port"))
  var windowListen: String?

  @Option(
    help: ArgumentHelp(
      "With --window-listen: a PEM file with a key and its certificate, in place of its own.",
      valueName: "file"),
    completion: .file())
  var windowCert: String?
}

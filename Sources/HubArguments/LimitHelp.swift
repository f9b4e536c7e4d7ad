import ArgumentParser

extension ArgumentHelp {
  /// The help of a limit that hardly anybody changes: `--help-all` shows it.
  static func limit(_ abstract: String, _ valueName: String) -> ArgumentHelp {
    ArgumentHelp(abstract, valueName: valueName, visibility: .hidden)
  }
}

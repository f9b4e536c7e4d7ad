import Transport

/// The files of the page, which are inside the program.
enum Page {
  /// The answer to who asks for a file by its name; nil where there is none.
  static func answer(_ name: String) -> WebResponse? {
    // Browsers ask for it whatever the page says.
    if name == "favicon.ico" { return WebResponse(status: 204) }
    guard let file = files[name] else { return nil }
    var response = Answers.head(200, type: file.type, [("Cache-Control", "no-cache")])
    response.body = file.bytes
    return response
  }

  private static let files: [String: (type: String, bytes: [UInt8])] =
    Dictionary(
      uniqueKeysWithValues: PageFiles.all.map { name, bytes in
        let ending = name.split(separator: ".").last.map(String.init) ?? ""
        return (name, (types[ending] ?? "application/octet-stream", bytes))
      })

  private static let types = [
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
  ]
}

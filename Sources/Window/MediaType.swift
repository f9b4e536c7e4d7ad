/// What a browser is told that a file is. By its name: what its owner put in it, nobody knows.
enum MediaType {
  /// What the page can show.
  enum Kind: String {
    case image, video, audio, text
  }

  /// The type that a file is sent as, and how it is shown; nil for what is only downloaded: what
  /// could run in a browser (HTML, SVG, PDF) is among that.
  static func shown(_ name: [UInt8]) -> (type: String, kind: Kind)? {
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return nil }
    let ending = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
    if let subtype = images[ending] { return ("image/\(subtype)", .image) }
    if let subtype = videos[ending] { return ("video/\(subtype)", .video) }
    if let subtype = sounds[ending] { return ("audio/\(subtype)", .audio) }
    return texts.contains(ending) ? ("text/plain; charset=utf-8", .text) : nil
  }

  private static let images = [
    "png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "webp", "avif": "avif",
    "bmp": "bmp",
  ]
  private static let videos = [
    "mp4": "mp4", "m4v": "mp4", "mov": "mp4", "webm": "webm", "ogv": "ogg", "mkv": "x-matroska",
  ]
  private static let sounds = [
    "mp3": "mpeg", "m4a": "mp4", "aac": "aac", "ogg": "ogg", "oga": "ogg", "opus": "ogg",
    "flac": "flac", "wav": "wav",
  ]
  private static let texts: Set<String> = [
    "txt", "md", "log", "csv", "tsv", "json", "xml", "yaml", "yml", "toml", "ini", "conf", "c",
    "h", "cpp", "hpp", "swift", "py", "rs", "go", "js", "ts", "css", "sh", "tex", "srt", "diff",
    "patch",
  ]
}

import Control
import FoundationEssentials
import Glibc
import Logging
import System
import Transport

/// The page of guests: each sees what its link is for, and nothing else.
final class GuestSite: WebHandler {
  private let mountpoint: String
  private let links: GuestLinks
  private let listings = Listings()
  private let log: Logger
  private let visits = Locked(Visits())

  /// Who came in, since the process began: by the hash of its cookie.
  private struct Visits {
    struct Visit {
      let link: String
      var seenAt: Duration
    }

    var all: [String: Visit] = [:]
    var wrong = 0
    var since: Duration = .zero
  }

  private static let cookieName = "__Host-fsharefs-guest"
  private static let visitLimit = 4096
  /// Tries with a wrong secret in a minute, of everybody together: a secret has 128 bits.
  private static let wrongLimit = 120
  private static let bodyLimit = 4096
  private static let rows = 200
  private static let over = Answers.refusal(
    403, "this link is not good, or not any more: ask whoever gave it to you for another")

  init(mountpoint: String, links: GuestLinks, log: Logger) {
    self.mountpoint = mountpoint
    self.links = links
    self.log = log
  }

  func reply(to request: WebRequest) -> WebReply {
    let path = request.path.drop { $0 == UInt8(ascii: "/") }
    let first = String(decoding: path.prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)
    let rest = Array(path.dropFirst(first.utf8.count).drop { $0 == UInt8(ascii: "/") })
    if request.method == .get || request.method == .head, rest.isEmpty,
      first != "index.html", let page = Page.answer(first.isEmpty ? "guest.html" : first)
    {
      return .response(page)
    }
    guard request.origin == nil || request.origin == "https://\(request.host)",
      ["same-origin", "none", nil].contains(request.fetchSite)
    else { return .response(Answers.refusal(403, "pages of other origins may ask for nothing")) }
    let word = String(decoding: rest, as: UTF8.self)
    if first == "api", word == "enter", request.method == .post {
      return .body(limit: Self.bodyLimit) { [self] in .response(enter($0)) }
    }
    guard let link = visited(by: request) else { return .response(Self.over) }
    return reply(to: request, first, rest, link)
  }

  private func reply(
    to request: WebRequest, _ first: String, _ rest: [UInt8], _ link: GuestLink
  ) -> WebReply {
    let word = String(decoding: rest, as: UTF8.self)
    switch (request.method, first) {
    case (.get, "api"):
      if word == "entered" { return .work { [self] in .response(describe(link, [])) } }
      guard word == "list", !link.isDrop else { break }
      return .work { [self] in .response(list(request, link)) }
    case (.get, "files"), (.head, "files"), (.get, "zip"), (.head, "zip"):
      guard !link.isDrop else { break }
      return .work { [self] in content(rest, request, link, asArchive: first == "zip") }
    case (.put, "drop"):
      guard link.isDrop else { break }
      return receive(rest, request, link)
    default: break
    }
    return .response(Answers.refusal(404, "there is nothing here for you"))
  }

  // MARK: Coming in

  private struct Entry: Decodable {
    var link: String?
    var id: String?
    var secret: String
  }

  private func enter(_ body: [UInt8]) -> WebResponse {
    guard let entry = try? JSONDecoder().decode(Entry.self, from: Data(body)),
      let id = entry.id ?? entry.link
    else { return Answers.refusal(400, "that is no link") }
    let now = MonotonicClock.now
    let isFlood = visits.withLock { visits in
      if now - visits.since > .seconds(60) { (visits.since, visits.wrong) = (now, 0) }
      return visits.wrong >= Self.wrongLimit
    }
    if isFlood { return Answers.refusal(429, "too many tries: wait a minute") }
    guard let link = links.link(id, secret: entry.secret) else {
      visits.withLock { $0.wrong += 1 }
      return Self.over
    }
    let cookie = Secret.make()
    visits.withLock { visits in
      if visits.all.count >= Self.visitLimit,
        let oldest = visits.all.min(by: { $0.value.seenAt < $1.value.seenAt })
      {
        visits.all[oldest.key] = nil
      }
      visits.all[Secret.hash(cookie)] = Visits.Visit(link: id, seenAt: now)
    }
    links.note(id) { $0.opened += 1 }
    log.info("a guest came in by the link \(id)")
    let header =
      "\(Self.cookieName)=\(cookie); Path=/; Secure; HttpOnly; SameSite=Strict"
    return describe(link, [("Set-Cookie", header)])
  }

  /// The link by which a request came in; nil where it is over, or there is none.
  private func visited(by request: WebRequest) -> GuestLink? {
    guard let cookie = Cookies.value(of: Self.cookieName, in: request.cookie) else { return nil }
    let now = MonotonicClock.now
    let hash = Secret.hash(cookie)
    let id = visits.withLock { visits -> String? in
      visits.all[hash]?.seenAt = now
      return visits.all[hash]?.link
    }
    return id.flatMap { links.link($0) }
  }

  private struct Description: Encodable {
    var name: String
    var kind: String
    var until: Int64?
    var type: String?
    var size: Int64?
    var file: String?
    var maxBytes: UInt64?
  }

  private func describe(
    _ link: GuestLink, _ headers: [(name: String, value: String)]
  ) -> WebResponse {
    guard let place = PercentEncoding.bytes(link.path).flatMap({ PlaceInShare($0) }) else {
      return Self.over
    }
    let name = place.name.isEmpty ? "everything" : Answers.shown(place.name)
    var description = Description(name: name, kind: "folder", until: link.until)
    if link.isDrop {
      description.kind = "drop"
      description.maxBytes = link.maxBytes - min(link.maxBytes, link.bytes)
    } else if let found = fileItem(place) {
      description.kind = "file"
      (description.size, description.type, description.file) = (found.size, found.type, found.name)
    }
    return Answers.json(description, headers)
  }

  /// What a link is for, where that is a file.
  private func fileItem(_ place: PlaceInShare) -> Item? {
    let share = ShareFolder(mountpoint: mountpoint, root: PlaceInShare([])!)
    guard !place.bytes.isEmpty, let (folder, name) = try? share.parent(of: place),
      let item = try? Item(name, in: folder, ownID: nil, isMember: false), item.kind == "file"
    else { return nil }
    return item
  }

  /// What a guest may see of the share, and a place in it. Of a file its folder with that one name.
  private func view(_ link: GuestLink, _ rest: [UInt8]) -> (ShareFolder, PlaceInShare)? {
    guard let root = PercentEncoding.bytes(link.path).flatMap({ PlaceInShare($0) }) else {
      return nil
    }
    if fileItem(root) != nil {
      let above = root.bytes.dropLast(root.name.count)
      guard rest == root.name, let folder = PlaceInShare(Array(above)),
        let place = PlaceInShare(rest)
      else { return nil }
      return (ShareFolder(mountpoint: mountpoint, root: folder), place)
    }
    return PlaceInShare(rest).map { (ShareFolder(mountpoint: mountpoint, root: root), $0) }
  }

  // MARK: What is shown

  private func content(
    _ rest: [UInt8], _ request: WebRequest, _ link: GuestLink, asArchive: Bool
  ) -> WebReply {
    guard let (share, place) = view(link, rest) else {
      return .response(Answers.refusal(404, "there is nothing here for you"))
    }
    let meter = links.meter(of: link)
    return asArchive
      ? Contents.archive(place, in: share, meter: meter)
      : Contents.file(place, in: share, request, meter: meter)
  }

  private struct List: Encodable {
    var path: String
    var total: Int
    var from: Int
    var generation: UInt64
    var sorted: String
    var items: [Item]
  }

  private func list(_ request: WebRequest, _ link: GuestLink) -> WebResponse {
    func text(_ name: String) -> String {
      String(decoding: request.query[name] ?? [], as: UTF8.self)
    }
    guard let (share, place) = view(link, request.query["path"] ?? []) else {
      return Answers.refusal(404, "there is nothing here for you")
    }
    let question = Listings.Question(
      root: share.root.bytes, path: place.bytes,
      order: Listings.Order(rawValue: text("sort")) ?? .name,
      isDescending: text("order") == "down")
    do throws(SystemError) {
      let listing = try listings.names(question, in: share, place, change: 0)
      let from = max(0, min(Int(text("from")) ?? 0, listing.names.count))
      let count = max(0, min(Int(text("count")) ?? 0, Self.rows))
      let folder = try share.open(place, O_RDONLY | O_DIRECTORY)
      let items = listing.names[from...].prefix(count).map { name in
        (try? Item(name, in: folder, ownID: nil, isMember: false)) ?? Item(gone: name)
      }
      return Answers.json(
        List(
          path: place.encoded, total: listing.names.count, from: from,
          generation: listing.generation, sorted: listing.order.rawValue, items: Array(items)))
    } catch { return Answers.refusal(error, place) }
  }

  // MARK: What is left

  private func receive(_ rest: [UInt8], _ request: WebRequest, _ link: GuestLink) -> WebReply {
    guard let top = link.dropPath.flatMap({ PercentEncoding.bytes($0) }),
      let root = PlaceInShare(top), let left = PlaceInShare(rest), !left.bytes.isEmpty,
      // Names that mean something to this member's own programs are not a guest's to give.
      !left.bytes.split(separator: UInt8(ascii: "/")).contains(where: {
        $0.first == UInt8(ascii: ".")
      }),
      let place = root.below(left.bytes)
    else { return .response(Answers.refusal(400, "choose another name for it")) }
    let used = links.link(link.id)?.bytes ?? 0
    guard link.files < GuestLinks.dropFiles, used < link.maxBytes else {
      return .response(Answers.refusal(413, "no more may be left here"))
    }
    let share = ShareFolder(mountpoint: mountpoint, root: PlaceInShare([])!)
    let meter = links.meter(of: link)
    let (links, id, most) = (links, link.id, link.maxBytes)
    return .receive(limit: link.maxBytes - used) {
      do throws(SystemError) {
        let sink = try FileSink(place, in: share, as: left, replaces: false) { count in
          while true {
            guard let wait = try? meter.wait() as Duration?? else { return Self.over }
            guard let wait else { break }
            usleep(UInt32(min(1e9, wait / .microseconds(1))))
          }
          meter.count(count)
          // Several may be left at once.
          return (links.link(id)?.bytes ?? .max) > most
            ? Answers.refusal(413, "no more may be left here") : nil
        } finished: { isWhole in
          if isWhole { links.note(id) { $0.files += 1 } }
        }
        return .sink(sink)
      } catch { return .refused(Answers.refusal(error, left)) }
    }
  }

  func mayOpenSocket(_ request: WebRequest) -> Bool { false }
  func socketOpened(_ id: WebSocketID) {}
  func socketReceived(_ id: WebSocketID, _ text: String) {}
  func socketClosed(_ id: WebSocketID) {}
}

/// Every file of the page, by the name under which browsers ask for it.
enum PageFiles {
  static let all: [(name: String, bytes: [UInt8])] = [
    ("api.js", PackageResources.api_js),
    ("dom.js", PackageResources.dom_js),
    ("files.js", PackageResources.files_js),
    ("format.js", PackageResources.format_js),
    ("guest.html", PackageResources.guest_html),
    ("guest.js", PackageResources.guest_js),
    ("guests.js", PackageResources.guests_js),
    ("index.html", PackageResources.index_html),
    ("listing.js", PackageResources.listing_js),
    ("live.js", PackageResources.live_js),
    ("log.js", PackageResources.log_js),
    ("main.js", PackageResources.main_js),
    ("members.js", PackageResources.members_js),
    ("sending.js", PackageResources.sending_js),
    ("settings.js", PackageResources.settings_js),
    ("standing.js", PackageResources.standing_js),
    ("style.css", PackageResources.style_css),
    ("talk.js", PackageResources.talk_js),
    ("transfers.js", PackageResources.transfers_js),
    ("viewer.js", PackageResources.viewer_js),
  ]
}

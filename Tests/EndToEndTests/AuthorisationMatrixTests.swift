import Protocol
import System
import Testing

extension Adversity {
  /// Who may say what: every cell of the table in docs/security.md, against a real hub.
  @Suite struct AuthorisationMatrix {
    @Test func theTableNamesEveryMessageOnce() throws {
      let names = try AuthorisationTable().names
      #expect(names == Opcode.allCases.map(AuthorisationTable.name))
    }

    @Test(arguments: try AuthorisationTable().cells)
    func theHubDoesWhatTheTableSays(cell: AuthorisationTable.Cell) throws {
      try withFixture { fixture in
        let hub = try fixture.hub()
        let scene = try AuthorisationScene(hub, cell.speaker)
        let seen = try scene.treatment(of: cell.opcode)
        #expect(seen == cell.treatment, "\(cell)")
      }
    }
  }
}

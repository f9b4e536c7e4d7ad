import Glibc
import System
import Testing

extension EndToEnd {
  /// Programs that start other programs while they have a file of the mount open. The kernel closes
  /// what was opened with O_CLOEXEC while it holds a lock that whoever looks at the program wants.
  /// With the mistake that this is about they hang, and every `ps` of the machine, until the daemon
  /// is killed: the watchdog does so.
  @Suite struct ExecWithOpenFiles {
    private static let limit = Duration.seconds(150)

    /// S75: python, perl, node and vim start a program in the middle of writing a file.
    @Test func programsThatStartOthers() throws {
      try withFixture(within: Self.limit) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        let scripts: [(program: String, name: String, script: String)] = [
          (
            "python3", "p",
            """
            python3 -c "import os; f=open('p','w'); f.write('one '); f.flush(); os.system('true'); f.write('two'); f.close()"
            """
          ),
          (
            "perl", "l",
            "perl -e 'open(my $f,q(>),q(l)); $f->autoflush(1); print $f q(one ); system(q(true)); print $f q(two)'"
          ),
          (
            "node", "n",
            """
            node -e 'const fs=require("fs"),c=require("child_process"),f=fs.openSync("n","w");fs.writeSync(f,"one ");
            c.execSync("true");c.spawnSync("true");fs.writeSync(f,"two");fs.closeSync(f)'
            """
          ),
          (
            "vim", "v",
            "vim -es -u NONE -c 'set noeol nofixeol' -c 'normal ione two' -c '!true' -c wq v < /dev/null"
          ),
        ]
        for (program, name, script) in scripts {
          guard try fixture.shell("command -v \(program)").ending == .exit(0) else {
            print("skipped: there is no \(program)")
            continue
          }
          try fixture.shell("cd \"$1\"; \(script)", guest.mount).succeeded()
          #expect(try Files.text(guest.path(name)) == "one two")
          try fixture.waitFor(host.path(name), "one two")
        }
      }
    }

    /// S75: a tree of processes as `make` has it: each inherits a log that all of them write, and
    /// has files open that are closed as the next is started. What the last of them closes is
    /// shared, and nothing before.
    @Test(arguments: [true, false]) func aTreeOfProcesses(closesOnExec: Bool) throws {
      try withFixture(within: Self.limit) { fixture in
        let (host, hub) = try fixture.host()
        let guest = try fixture.member("guest", of: hub, approvedBy: host)
        try Files.write(
          guest.path("Makefile"),
          """
          all: $(foreach n,1 2 3 4 5 6 7 8 9 10 11 12,part$n)
          part%:
          \tsh -c 'echo $@ > $@; sh -c true; cat $@ >&9' 
          """)
        let script = """
          import os, subprocess
          log = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
          os.dup2(log, 9, inheritable=True)
          held = [open('held%d' % n, 'w') for n in range(4)]
          for one in held:
            one.write('held'); one.flush()
            os.set_inheritable(one.fileno(), \(closesOnExec ? "False" : "True"))
          subprocess.run(['make', '-s', '-j4'], close_fds=False, check=True)
          for one in held: one.close()
          """
        try fixture.run(
          "sh", "-c", "cd \"$1\" && exec python3 -c \"$2\"", "sh", guest.mount, script,
          within: Self.limit
        ).succeeded()
        let lines = try Files.text(guest.path("log")).split(separator: "\n").sorted()
        #expect(lines == (1...12).map { "part\($0)" }.sorted()[...].map { $0[...] })
        for n in 0..<4 { try fixture.waitFor(host.path("held\(n)"), "held") }
        try fixture.waitForEquality(guest.mount, host.mount)
      }
    }

    /// S75: who becomes another program does not wait for a group that cannot answer, and what it
    /// wrote is shared.
    @Test func execDoesNotWaitForTheGroup() throws {
      try withFixture(within: Self.limit) { fixture in
        let hub = try fixture.hub()
        let master = try fixture.master(hub)
        // Longer than the test may take.
        let guest = try fixture.member(
          "guest", of: hub.address, approvedBy: master, ["-o", "ack_timeout=600"])
        try hub.crash()
        try fixture.run(
          "sh", "-c", "cd \"$1\" && exec python3 -c \"$2\"", "sh", guest.mount,
          "import os; f=open('f','w'); f.write('x'); f.flush(); os.execvp('true', ['true'])",
          within: Self.limit
        ).succeeded()
        try hub.restart()
        try fixture.waitFor(master.path("f"), "x")
      }
    }
  }
}

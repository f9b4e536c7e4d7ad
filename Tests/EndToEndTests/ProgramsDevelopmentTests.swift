import Glibc
import System
import Testing

extension EndToEnd {
  @Suite struct ProgramsOfDevelopers {
    /// S51: a repository on the mount; the other member clones it from where it sees it.
    @Test func git() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        try steps.run(
          """
          cd "$1"; git init -q -b main repo; cd repo
          mkdir sub; for i in $(seq 30); do echo "file $i" > "sub/$i"; done; ln -s sub/1 link
          printf '#!/bin/sh\\n' > run; chmod 755 run
          git add -A; git commit -qm first; test -z "$(git status --porcelain)"
          echo more >> sub/1; git rm -q sub/2; git mv sub/3 three; git commit -qam second
          git checkout -q -b other HEAD~1; echo other > sub/1; git commit -qam other; git checkout -q main
          git stash list; git fsck --strict --no-progress
          """)
        try steps.run(
          """
          cd "$1/repo"; git gc -q --prune=now; git fsck --strict --no-progress
          test -z "$(git status --porcelain)"; git clone -q . "$1/clone"
          cd "$1/clone"; test "$(cat three)" = 'file 3'; git fsck --strict --no-progress
          """)
        try steps.run(
          """
          git -c safe.directory='*' clone -q "$3/repo" "$2/theirs"; cd "$2/theirs"
          git fsck --strict --no-progress; git log --oneline | wc -l | grep -q '^2$'
          echo theirs >> sub/5; git commit -qam theirs
          cd "$1/repo"; git pull -q --no-rebase "$2/theirs" main; test "$(tail -1 sub/5)" = theirs
          """)
      }
    }

    /// S51, S22: databases with both kinds of journal, two processes at a time.
    @Test(.enabled(if: Programs.has("sqlite3")), arguments: ["delete", "wal"])
    func sqlite(_ journal: String) throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        let answer = try steps.run(
          """
          cd "$1"; sqlite3 data 'PRAGMA journal_mode=\(journal); CREATE TABLE t(a, b);' > /dev/null
          for writer in 1 2; do
            (for i in $(seq 15); do
              echo ".timeout 20000
              INSERT INTO t VALUES($writer, $i);"
            done | sqlite3 -bail data) & writers="$writers $!"
          done
          for one in $writers; do wait $one; done
          echo ".timeout 20000
          BEGIN IMMEDIATE; INSERT INTO t VALUES(9, 9); ROLLBACK; SELECT count(*), sum(b) FROM t;
          PRAGMA integrity_check;" | sqlite3 data
          """)
        #expect(answer == "30|240\nok\n")
        #expect(try Files.list(steps.guest.mount) == ["data"])
        let theirs = try steps.run(
          "cp \"$3/data\" \"$2/data\"; sqlite3 \"$2/data\" 'PRAGMA integrity_check; SELECT count(*) FROM t'"
        )
        #expect(theirs == "ok\n30\n")
      }
    }

    /// S51: a program is compiled, built again where something changed, and run at the other
    /// member's.
    @Test func compilation() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        let answer = try steps.run(
          """
          mkdir "$1/code"; cd "$1/code"
          echo 'int part(int n);' > part.h
          for i in 1 2 3 4; do printf '#include "part.h"\\nint part%s(int n) { return n + %s; }\\n' $i $i > part$i.c; done
          printf '#include <stdio.h>\\nint part4(int);int main(void) { printf("%%d\\\\n", part4(3)); return 0; }\\n' > main.c
          printf 'OBJECTS = main.o part1.o part2.o part3.o part4.o\\nprogram: $(OBJECTS)\\n\\tcc -o $@ $^\\n' > Makefile
          printf '%%.o: %%.c part.h\\n\\tcc -c -o $@ $<\\n' >> Makefile
          make -s -j2; ./program; make -q
          echo '/* changed */' >> part4.c; make -j2 | wc -l; make -q; ar rc parts.a part*.o; nm parts.a | grep -c part
          """)
        #expect(answer == "7\n2\n8\n")
        #expect(try steps.run("\"$3/code/program\"") == "7\n")
      }
    }
  }
}

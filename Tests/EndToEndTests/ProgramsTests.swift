import Glibc
import System
import Testing

extension EndToEnd {
  /// The programs that people use, unchanged, on the mount; the other member sees what they did.
  @Suite struct ProgramsAtWork {
    /// S51: a second run finds nothing to do, not even a folder's time; parts are changed in place.
    @Test(.enabled(if: Programs.has("rsync"))) func rsync() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        try Samples.folder(steps.plain + "/source", seed: 11)
        try steps.run("rsync -a \"$2/source/\" \"$1/copy/\"")
        #expect(try steps.run("rsync -ai \"$2/source/\" \"$1/copy/\"").isEmpty)
        let figures = try steps.run("rsync -a --checksum --stats \"$2/source/\" \"$1/copy/\"")
        #expect(figures.contains("regular files transferred: 0\n"))
        try steps.run(
          """
          printf changed | dd of="$2/source/nested/5000000 bytes" bs=1 seek=3000000 conv=notrunc status=none
          touch -d 2030-01-01 "$2/source/nested/5000000 bytes"
          rm -r "$2/source/odd"; echo new > "$2/source/new"; chmod 700 "$2/source/nested/deeper"
          rsync -a --inplace --no-whole-file --delete "$2/source/" "$1/copy/"
          diff -r --no-dereference "$2/source" "$1/copy"
          """)
        // From the other member's mount into a plain folder; when a folder last changed is not the
        // same for all.
        #expect(
          try steps.run(
            "rsync -a \"$3/copy/\" \"$2/back/\"; rsync -aiO \"$2/back/\" \"$2/source/\"")
            == "")
      }
    }

    /// S51: what was packed and unpacked is the same, modes, times and links included.
    @Test func tar() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        try Samples.folder(steps.plain + "/source", seed: 12)
        try steps.run(
          """
          chmod 555 "$2/source/nested/deeper"; touch -d '2001-02-03 04:05:06.789' "$2/source/nested"
          tar -C "$2/source" --format=posix -cf "$2/archive" .
          mkdir "$1/copy"; tar -C "$1/copy" -xpf "$2/archive"
          tar -C "$1/copy" -df "$2/archive"
          tar -C "$1/copy" --format=posix -cf "$1/archive" .
          chmod -R u+w "$1/copy"; rm -r "$1/copy"; mkdir "$1/copy"
          tar -C "$1/copy" -xpf "$1/archive"; tar -C "$1/copy" -df "$2/archive"
          """)
        try steps.run(
          "tar -C \"$3/copy\" -df \"$2/archive\"; chmod -R u+w \"$1/copy\" \"$2/source\"")
      }
    }

    /// S51: copying, moving to and from another file system, and the small tools.
    @Test func smallTools() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        try Samples.folder(steps.plain + "/source", seed: 13)
        try steps.run(
          "cp -a \"$2/source\" \"$1/copy\"; diff -r --no-dereference \"$2/source\" \"$1/copy\"")
        try steps.run(
          "cp -a \"$1/copy\" \"$1/second copy\"; mv \"$1/second copy\" \"$1/copy/inside\"")
        try steps.run(
          "mv \"$1/copy/inside\" \"$2/out\"; diff -r --no-dereference \"$2/source\" \"$2/out\"")
        try steps.run("mv \"$2/out\" \"$1/in\"; diff -r --no-dereference \"$2/source\" \"$1/in\"")
        try steps.run(
          """
          cd "$1"
          dd if="$2/source/131073 bytes" of=copied bs=1000 conv=fsync status=none
          cmp copied "$2/source/131073 bytes"
          dd if="$2/source/131073 bytes" of=direct bs=128K oflag=direct conv=fsync status=none || test -e direct
          truncate -s 5000 copied; truncate -s +3000 copied; test "$(stat -c %s copied)" = 8000
          install -d -m 750 made/deep; install -m 755 "$2/source/private" made/deep/installed
          test "$(stat -c %a made/deep/installed)" = 755
          printf 'one\\ntwo\\n' > text; sed -i 's/two/three/' text; test "$(tail -1 text)" = three
          ln -s made/deep link; ln -sfn made link; test "$(readlink link)" = made
          mktemp ./tmp.XXXXXX > "$2/name"; split -b 1000 copied part.; cat part.* | cmp - copied
          yes | head -c 100000 | gzip > packed.gz; gzip -d packed.gz; test "$(stat -c %s packed)" = 100000
          sort -o text text; shred -u packed; ls -laR . > /dev/null; df . > /dev/null
          """)
        // As office programs guard a document: a lock that is made once, a new file that is renamed
        // over it.
        try steps.run(
          """
          cd "$1"; echo first > document; set -C
          echo me > '.~lock.document#'
          if (echo me too > '.~lock.document#') 2> /dev/null; then exit 1; fi
          set +C; echo second > document.tmp; mv document document.bak; mv document.tmp document
          rm '.~lock.document#' document.bak
          """)
        #expect(try Files.text(steps.guest.path("document")) == "second\n")
      }
    }

    /// S51: editors that write beside and rename, and those that write in place.
    @Test(.enabled(if: Programs.has("vim.tiny", "nano", "script"))) func editors() throws {
      try withFixture { fixture in
        let steps = try ProgramSteps(fixture)
        try steps.run("printf 'one\\ntwo\\n' > \"$1/text\"; chmod 640 \"$1/text\"")
        let edits = [("no", "one", "uno"), ("yes", "uno", "eins"), ("auto", "eins", "ein")]
        for (copies, old, new) in edits {
          try steps.run(
            """
            cd "$1"; vim.tiny -es -u NONE -i NONE -c 'set directory=. backupskip= backup writebackup backupcopy=\(copies)' \
              -c '%s/\(old)/\(new)/' -c 'wq' text
            test "$(head -1 text)" = \(new); test "$(stat -c %a text)" = 640; ls -A | grep -v text || true
            """)
        }
        #expect(try Files.list(steps.guest.mount) == ["text", "text~"])
        // nano needs a terminal, and takes keys once it shows itself.
        try steps.run(
          """
          cd "$1"; mkfifo "$2/keys"; : > "$2/shown"
          script -qfec 'nano --ignorercfiles -B -G text' "$2/shown" < "$2/keys" > /dev/null & exec 3> "$2/keys"
          until grep -q 'GNU nano' "$2/shown"; do :; done
          printf 'typed \\017\\r\\030' >&3; wait $!; exec 3>&-
          test "$(head -1 text)" = 'typed ein'; ls -A | grep swp && exit 1; test -e text~
          """)
        #expect(try Files.text(steps.guest.path("text")) == "typed ein\ntwo\n")
      }
    }
  }
}

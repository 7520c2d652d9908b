# The ledger: one line for each thing that the runbook's commands begin and bring about. Sourced by all of them.
#
# A file, not a table: going back replaces the whole database, and what was done must stay countable. A line is one
# write(2) with O_APPEND, so it is there whole or not at all, whoever is killed.
SLOT=$(dirname "$(dirname "${BASH_SOURCE[0]}")")

note() { echo "$1 $2 ${GANTRY_KEY:--} $$" >> "$SLOT/ledger"; }

# Wait here when this step and place were chosen: the engine is about to be killed. Chosen once, so a second run passes.
hold() {
  mv "$SLOT/holds/$1.$2" "$SLOT/holds/$1.$2.reached" 2>/dev/null || return 0
  until [ -e "$SLOT/holds/released" ]; do sleep 0.02; done
}

begin() { note "$1" begin; hold "$1" half; }
effect() { note "$1" effect; hold "$1" late; }

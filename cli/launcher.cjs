#!/usr/bin/env node
// The command of the npm package. An older Node could not even read the program, so this file uses nothing newer.
const major = Number(process.versions.node.split('.')[0])
if (major >= 26) void import('../longhouse.js')
else {
  console.error(
    `longhouse needs Node 26, on which your jobs run in the instance; this is ${process.version}.\n` +
      'Install it from https://nodejs.org, or run this command on it once: npx -p node@26 -- longhouse check',
  )
  process.exitCode = 1
}

// Loaded first by the run that `runner-code.mjs` makes: keeps what V8 made of the runner's program until the end of the run.
const { writeFileSync } = require('node:fs')
const vm = require('node:vm')

const file = process.env.LONGHOUSE_RUNNER_CODE
delete process.env.LONGHOUSE_RUNNER_CODE
const { Script } = vm
vm.Script = class extends Script {
  constructor(source, options) {
    super(source, options)
    // The runner says so when its job has ended.
    process.once('exit', () => writeFileSync(file, this.createCachedData()))
  }
}

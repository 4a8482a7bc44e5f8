import { ExecaError, execa } from 'execa'
import { $, fs, glob, path, within } from 'zx'

$.verbose = false

export async function upkeep() {
  const reports = path.resolve('data/reports')
  await fs.emptyDir(reports)
  for (const month of ['january', 'february', 'march']) {
    await fs.outputJson(path.join(reports, month, 'sales.json'), { month })
  }

  const listed = await within(async () => {
    $.cwd = reports
    await $`git init --quiet --initial-branch main .`
    const files = await glob('*/sales.json', { cwd: reports })
    await $`printf ${'%s\n'} ${files.toSorted()} | tee list.txt`.quiet()
    await $`git add list.txt && git -c user.name=Office -c user.email=office@example.com commit --quiet -m ${"March's list"}`
    const log = await $`git log --format=%s --name-only`
    return log.lines()
  })

  const shell = execa({ cwd: reports })
  const { stdout } = await shell`sort -r list.txt`.pipe`head -n 1`
  const lengths: number[] = []
  for await (const line of shell({ input: 'one\ntwo three\n' })`cat`) lengths.push(line.length)
  const failed = await shell`ls ${'no such file'}`.catch((error: ExecaError) => ({
    known: error instanceof ExecaError,
    code: error.exitCode,
  }))
  const own = await shell({ node: true, input: 'console.log(6 * 7)' })`-`
  const zip = $({ nothrow: true, cwd: reports })
  const zipped = await zip`zip -q -r reports.zip . && unzip -Z1 reports.zip '*.json'`
  return {
    listed,
    last: stdout,
    lengths,
    failed,
    own: own.stdout,
    zipped: zipped.lines().toSorted(),
    code: zipped.exitCode,
  }
}

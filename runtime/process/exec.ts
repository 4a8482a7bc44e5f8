// Becomes another program. The restrictions that this process was started with stay.
const [file = '', ...args] = process.argv.slice(2)

process.execve?.(file, [file, ...args], process.env)

/**
 * Asks a program that was started a question, and ends it: a line of JSON each way over file 3, see `runtime/process/channel.ts`. Returns
 * its line, or what there was of it when the program ended by itself.
 */
export async function answerOf(child, question) {
  const closed = new Promise(done => child.once('close', done))
  const pipe = child.stdio[3].setEncoding('utf8')
  // A program that ends before it has read breaks the pipe. Why it ended, its other output says.
  pipe.on('error', () => {})
  pipe.write(`${JSON.stringify(question)}\n`)
  let text = ''
  try {
    for await (const chunk of pipe) {
      text += chunk
      if (text.includes('\n')) break
    }
  } catch {
    await closed
  }
  child.kill('SIGKILL')
  return text
}

import { createServer } from 'node:net'
import { listening } from './listening'

/** As much of SMTP as it takes to hand in a message. */
export async function startSmtp() {
  const letters: string[] = []
  const recipients: string[] = []
  const server = createServer(socket => {
    let waiting = ''
    let inLetter = false
    socket.on('error', () => {})
    socket.write('220 test\r\n')
    socket.setEncoding('utf8').on('data', (text: string) => {
      waiting += text
      for (let end = next(); end >= 0; end = next()) {
        const said = waiting.slice(0, end)
        waiting = waiting.slice(end + (inLetter ? 5 : 2))
        if (inLetter) letters.push(said)
        const recipient = /^RCPT TO:<(.*)>/i.exec(said)?.[1]
        if (recipient) recipients.push(recipient)
        inLetter = !inLetter && said === 'DATA'
        socket.write(inLetter ? '354 go on\r\n' : said === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
      }
    })
    const next = () => waiting.indexOf(inLetter ? '\r\n.\r\n' : '\r\n')
  })
  const port = await listening(server)
  return { port, letters, recipients, stop: () => server.close() }
}

import { JSDOM } from 'jsdom'

/** A page whose own script runs, with events and layers of style. */
export async function run() {
  const { window } = new JSDOM(
    `<style>.done { color: rgb(1, 2, 3) }</style>
    <ul></ul><button>Add</button>
    <script>
      document.querySelector('button').addEventListener('click', () => {
        const item = document.createElement('li')
        item.textContent = 'Item ' + (document.querySelectorAll('li').length + 1)
        item.className = 'done'
        document.querySelector('ul').append(item)
      })
    </script>`,
    { runScripts: 'dangerously', url: 'https://example.com/list?page=2' },
  )
  const { document } = window
  for (let click = 0; click < 2; click++) document.querySelector('button')?.click()
  const items = [...document.querySelectorAll('li')]
  const result = {
    items: items.map(item => item.textContent),
    color: items[0] && window.getComputedStyle(items[0]).color,
    page: new window.URLSearchParams(window.location.search).get('page'),
  }
  window.close()
  return result
}

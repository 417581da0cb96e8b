// Keeps the list and the warning of a visible page fresh. Without it the page works, one reload at a time.
setInterval(async () => {
  if (document.visibilityState !== 'visible') return
  try {
    const response = await fetch(location.href)
    if (!response.ok) return
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    for (const id of ['correos', 'aviso']) {
      const [now, next] = [document.getElementById(id), fresh.getElementById(id)]
      if (now && next && now.innerHTML !== next.innerHTML && !now.contains(document.activeElement))
        now.replaceWith(next)
    }
  } catch {
    // The mailbox is restarting; the next turn finds it again.
  }
}, 2000)

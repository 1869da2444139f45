"""Prints what is at the URL, through the proxy: fetch-by-urllib.py URL PROXY"""

import sys
import urllib.request

url, proxy = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
with opener.open(url) as response:
    sys.stdout.buffer.write(response.read())

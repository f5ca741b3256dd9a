"""Uploads a file with google-genai and prints what the SDK says of it as JSON.

    upload.py sync|async BASE_URL ACCESS_KEY FILE
"""

import asyncio
import json
import sys

from google import genai


async def upload_async(client, path):
    return await client.aio.files.upload(file=path, config={"mime_type": "video/mp4", "display_name": "film"})


def main():
    how, base_url, access_key, path = sys.argv[1:]
    client = genai.Client(api_key=access_key, http_options={"base_url": base_url})
    if how == "async":
        file = asyncio.run(upload_async(client, path))
    else:
        file = client.files.upload(file=path, config={"mime_type": "video/mp4", "display_name": "film"})
    print(json.dumps({"name": file.name, "displayName": file.display_name, "mimeType": file.mime_type,
                      "sizeBytes": file.size_bytes, "sha256": file.sha256_hash}))


if __name__ == "__main__":
    main()

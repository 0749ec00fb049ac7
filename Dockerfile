# The server without the local agent: set DEEPGRAM_API_KEY. Conversations are kept in /data. For yourself alone:
# docker run -p 127.0.0.1:8000:8000 -v bridge:/data -e DEEPGRAM_API_KEY -e BRIDGE_ALLOW_ANYBODY=true voice-bridge
FROM python:3.11-slim AS compiled
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make
WORKDIR /app
COPY requirements/core.txt requirements/compile.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/core.txt -r requirements/compile.txt
COPY . .
RUN make compile BIN=/usr/local/bin

FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 PORT=8000 BRIDGE_DATA_DIR=/data

WORKDIR /app
COPY requirements/core.txt requirements/core.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/core.txt

RUN useradd --system --user-group --uid 10001 --no-create-home bridge && install -d -o bridge -g bridge /data
COPY . .
COPY --from=compiled /app/bridge bridge
RUN python -m compileall -q bridge intents persistence

USER bridge
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/live', timeout=2)"]
CMD ["python", "-m", "bridge", "serve"]

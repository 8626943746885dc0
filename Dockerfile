# The front end is built with Node and then Node is left behind.
FROM node:24-slim AS front
WORKDIR /src
COPY package.json package-lock.json build.mjs ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./frontend
RUN node build.mjs

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 \
    PYTHONPATH=/srv/grapevine \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    GRAPEVINE_DATA_DIR=/var/lib/grapevine
RUN useradd --system --uid 10001 --home-dir /var/lib/grapevine --create-home grapevine
WORKDIR /srv/grapevine
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
COPY app ./app
COPY community ./community
COPY storefront ./storefront
COPY content ./content
COPY referrals ./referrals
COPY search ./search
COPY demo ./demo
COPY frontend ./frontend
COPY --from=front /src/frontend/static/build ./frontend/static/build
RUN python -m compileall -q . && printf '#!/bin/sh\nexec python -m app "$@"\n' >/usr/local/bin/grapevine && chmod +x /usr/local/bin/grapevine
USER grapevine
VOLUME /var/lib/grapevine
EXPOSE 8000
ENTRYPOINT ["grapevine"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]

# One image for web, worker and beat; git, ssh and the database clients are what deployments call.
FROM python:3.13-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends git openssh-client postgresql-client sqlite3 procps \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/gantry
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY manage.py ./
COPY config config
COPY checks checks
COPY releases releases
RUN useradd --create-home gantry && install -d -o gantry /var/lib/gantry
USER gantry
ENV GANTRY_VAR=/var/lib/gantry PYTHONUNBUFFERED=1

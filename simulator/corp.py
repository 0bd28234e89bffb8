"""Made-up settings of a made-up corp, for whoever does not care what they are."""

CORP_ID = "wwsimulated000001"
SECRET = "simulated-secret-of-the-app"
AGENT_ID = 1000002
TOKEN = "simulatedtoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
MP_APP_ID = "wxsimulated000001"
MP_SECRET = "simulated-secret-of-the-mp"
INGEST_SECRET = "simulated-secret-of-the-archive"

-- The two databases, each with an owner who can open no other. Runs once, when the store is made.
\set ON_ERROR_STOP on
\set records_password `cat /run/secrets/records_password`
\set mlflow_password `cat /run/secrets/mlflow_password`
CREATE ROLE kneerisk LOGIN PASSWORD :'records_password';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE DATABASE kneerisk OWNER kneerisk;
CREATE DATABASE mlflow OWNER mlflow;
REVOKE CONNECT ON DATABASE kneerisk FROM PUBLIC;
REVOKE CONNECT ON DATABASE mlflow FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;

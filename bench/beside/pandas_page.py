"""The four charts as a page of Streamlit over one pandas frame, as such pages are usually written.

ANSWERS names the flat Parquet file. With CAREFUL=1 it is what a careful author makes of it: texts are read as
categories at once, the frame is shared instead of copied for each run, and figures are remembered for each region.
"""

import os

import altair as alt
import pandas as pd
import streamlit as st

TEXTS = ["half", "region", "measure", "entity", "item"]
ANSWERS = os.environ["ANSWERS"]
CAREFUL = os.environ.get("CAREFUL") == "1"


@st.cache_data
def load_answers(path):
    return prepare(pd.read_parquet(path).astype(dict.fromkeys(TEXTS, "category")))


@st.cache_resource
def share_answers(path):
    return prepare(pd.read_parquet(path, read_dictionary=TEXTS))


def prepare(frame):
    # Not applicable and not answered have no score and count nowhere.
    frame = frame.dropna(subset=["score"])
    return frame.assign(scored=frame["weight"] * frame["score"])


def rate(frame, by):
    sums = frame.groupby(by, observed=True)[["scored", "weight"]].sum()
    return (sums["scored"] / sums["weight"]).rename("compliance").reset_index()


def weakest(frame, by):
    return rate(frame, by).nsmallest(20, "compliance")


def compute_figures(region):
    frame = share_answers(ANSWERS) if CAREFUL else load_answers(ANSWERS)
    if region != "All":
        frame = frame[frame["region"] == region]
    return rate(frame, ["region", "half"]), rate(frame, "measure"), weakest(frame, "entity"), weakest(frame, "item")


def draw_bars(figures, by):
    compliance = alt.X("compliance", axis=alt.Axis(format="%"))
    return alt.Chart(figures).mark_bar().encode(x=compliance, y=alt.Y(by, sort="x"), tooltip=[by, "compliance"])


remember_figures = st.cache_data(compute_figures)

st.set_page_config(layout="wide")
st.title("Compliance")
region = st.sidebar.selectbox("Region", ["All", "Americas", "Asia", "China", "Europe", "Japan"])
by_half, by_measure, entities, items = (remember_figures if CAREFUL else compute_figures)(region)

left, right = st.columns(2)
with left:
    st.subheader("Compliance by region and half")
    lines = alt.Chart(by_half).mark_line(point=True)
    compliance = alt.Y("compliance", scale=alt.Scale(zero=False), axis=alt.Axis(format="%"))
    st.altair_chart(lines.encode(x="half", y=compliance, color="region", tooltip=["region", "half", "compliance"]))
    st.subheader("The 20 weakest entities")
    st.altair_chart(draw_bars(entities, "entity"))
with right:
    st.subheader("Compliance by measure")
    st.altair_chart(draw_bars(by_measure, "measure"))
    st.subheader("The 20 weakest items")
    st.altair_chart(draw_bars(items, "item"))
